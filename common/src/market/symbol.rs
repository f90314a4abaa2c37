//! How providers spell instruments: one grammar per file.

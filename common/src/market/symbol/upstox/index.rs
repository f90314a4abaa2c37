//! Names of indices: the one that Upstox writes, and the one that contracts of the index go by.

/// Where both differ in more than the case. In upper case.
const ALIASES: [(&str, &str); 8] = [
    ("NIFTY 50", "NIFTY"),
    ("NIFTY BANK", "BANKNIFTY"),
    ("NIFTY FIN SERVICE", "FINNIFTY"),
    ("NIFTY FINANCIAL SERVICES", "FINNIFTY"),
    ("NIFTY MID SELECT", "MIDCPNIFTY"),
    ("NIFTY MIDCAP SELECT", "MIDCPNIFTY"),
    ("NIFTY NEXT 50", "NIFTYNXT50"),
    ("SNSX50", "SENSEX50"),
];

/// `Nifty Bank` -> `BANKNIFTY`, `India VIX` -> `INDIA VIX`.
pub(super) fn underlying(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let alias = ALIASES.iter().find(|(written, _)| *written == upper);
    alias.map_or(upper, |(_, alias)| (*alias).to_owned())
}

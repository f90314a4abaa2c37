//! Columns of text, without borders.

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Sets `rows` under `head` in columns, two spaces apart. Each line ends without spaces.
pub(crate) fn columns(head: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
    let lines = || std::iter::once(&titles).chain(rows);
    let width = |column: usize| lines().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let set = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(head).map(|((cell, &width), (_, align))| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        format!("{}\n", cells.collect::<Vec<String>>().join("  ").trim_end())
    };
    lines().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [vec!["a".to_owned(), "1,000".to_owned()], vec!["größer".to_owned(), "2".to_owned()]];
        let set = columns(&[("NAME", Align::Left), ("N", Align::Right)], &rows);
        assert_eq!(set, "NAME        N\na       1,000\ngrößer      2\n");
    }
}

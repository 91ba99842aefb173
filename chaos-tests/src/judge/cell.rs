//! What a database answers: rows of cells, each with its type as far as it decides how cells are compared.

/// What a database says to a statement.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Rows.
    Rows(Vec<Vec<Cell>>),
    /// It does not take the statement.
    Refused(String),
    /// It did not answer as it should: it took too long, or something inside broke.
    Broken(String),
    /// It took longer than the judge waits.
    Late,
}

impl Answer {
    /// As a reader sees it: the first rows, or why there are none.
    pub fn shown(&self) -> String {
        const ROWS_MAX: usize = 12;
        match self {
            Self::Rows(rows) => {
                let row = |row: &Vec<Cell>| row.iter().map(Cell::shown).collect::<Vec<_>>().join(" | ");
                let shown: Vec<String> = rows.iter().take(ROWS_MAX).map(row).collect();
                format!("{} rows: {}", rows.len(), shown.join(" / "))
            }
            Self::Refused(why) => format!("refused: {why}"),
            Self::Broken(why) => format!("BROKEN: {why}"),
            Self::Late => "too late".to_owned(),
        }
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Within a relative error.
    Double,
    /// The same, shown with so many digits behind the point.
    Fixed(u8),
    /// By its digits.
    Decimal,
    /// By its digits.
    Integer,
    /// Dates, times of day and both; zeros at the end of a fraction mean nothing.
    Time,
    /// By its bytes.
    Text,
}

/// A value: its type, and its bytes unless it is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its type.
    pub of: Type,
    /// What is shown, or none for NULL.
    pub bytes: Option<Vec<u8>>,
}

impl Cell {
    /// NULL.
    pub const NULL: Self = Self { of: Type::Text, bytes: None };

    /// A value that is not NULL.
    pub fn new(of: Type, bytes: impl Into<Vec<u8>>) -> Self {
        Self { of, bytes: Some(bytes.into()) }
    }

    /// The number that it is, if it looks like one.
    pub fn number(&self) -> Option<f64> {
        let text = std::str::from_utf8(self.bytes.as_deref()?).ok()?;
        let is_number = text.bytes().next_back().is_some_and(|last| last.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    }

    /// What is shown of it, nothing for NULL.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes.as_deref().unwrap_or_default())
    }

    /// As a report shows it.
    pub fn shown(&self) -> String {
        let Some(bytes) = &self.bytes else { return "NULL".to_owned() };
        match (self.of, std::str::from_utf8(bytes)) {
            (Type::Text, Ok(text)) => format!("{text:?}"),
            (_, Ok(text)) => text.to_owned(),
            (_, Err(_)) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        }
    }
}

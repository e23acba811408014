//! From a path to a line and column, by reading the text once more up to that place.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};

use crate::wire::{Accept, Key, Problem, Step, Visit, unexpected};

/// As `serde_json` counts: lines from 1; columns in bytes, that of the last byte read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    pub(super) fn of(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }

    /// Of the first byte behind the text.
    pub(super) fn after(text: &str) -> Self {
        let Self { line, column } = Self::at_end_of(text);
        Self { line, column: column + 1 }
    }

    fn at_end_of(text: &str) -> Self {
        let last_line = text.rsplit('\n').next().map_or(0, str::len);
        Self { line: 1 + text.matches('\n').count(), column: last_line }
    }

    fn offset_in(self, text: &str) -> usize {
        let lines_before = text.split_inclusive('\n').take(self.line - 1);
        lines_before.map(str::len).sum::<usize>() + self.column
    }
}

/// Where the value at the end of the path stands: its last byte, or the bracket that opens it. Of a missing field, where the object
/// ends that lacks it; of a repeated one, the second.
pub(super) fn locate(text: &str, steps: &[Step], problem: Problem) -> Position {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let end = match (Visit(Walk { steps, problem })).deserialize(&mut deserializer) {
        Ok(()) => text.len(),
        Err(error) => Position::of(&error).offset_in(text),
    };
    // Behind an opening bracket, `serde_json` has gone on to the next token, even the closing bracket.
    let text = text.get(..end).unwrap_or(text).trim_ascii_end();
    Position::at_end_of(match problem {
        Problem::Missing => text,
        Problem::Value | Problem::Repeated => text.trim_end_matches([']', '}']).trim_ascii_end(),
    })
}

/// Follows the steps through a text and fails where they end, for the position that `serde_json` then reports.
struct Walk<'a> {
    steps: &'a [Step],
    problem: Problem,
}

impl<'de> Accept<'de> for Walk<'_> {
    type Value = ();
    const EXPECTED: &'static str = "nothing";

    fn array<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if let [Step::Item(index), steps @ ..] = self.steps {
            for _ in 0..*index {
                seq.next_element::<IgnoredAny>()?;
            }
            seq.next_element_seed(Visit(Walk { steps, ..self }))?;
        }
        Err(unexpected(Self::EXPECTED, "an array"))
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let [Step::Field(name), steps @ ..] = self.steps {
            let mut skip = usize::from(self.problem == Problem::Repeated && steps.is_empty());
            while let Some(key) = map.next_key_seed(Visit(Key))? {
                if key != name.as_str() {
                    map.next_value::<IgnoredAny>()?;
                } else if skip > 0 {
                    skip -= 1;
                    map.next_value::<IgnoredAny>()?;
                } else {
                    return map.next_value_seed(Visit(Walk { steps, ..self }));
                }
            }
        }
        Err(unexpected(Self::EXPECTED, "an object"))
    }
}

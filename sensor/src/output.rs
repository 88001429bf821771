//! Where events go.
use std::fs::File;
use std::io::Write;

use crate::engine::Seen;
use crate::ndjson;

/// Lines of JSON in a file or on standard output.
pub enum Output {
    File(Box<dyn Write>),
}

impl Output {
    pub fn file(path: &str) -> Result<Self, String> {
        if path == "-" {
            return Ok(Self::File(Box::new(std::io::stdout())));
        }
        let file = File::create(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self::File(Box::new(file)))
    }

    pub fn events(&mut self, events: &[Seen]) -> Result<(), String> {
        let Self::File(file) = self;
        let lines: Vec<u8> = events.iter().flat_map(ndjson::line).collect();
        file.write_all(&lines).and_then(|()| file.flush()).map_err(|error| format!("output: {error}"))
    }
}

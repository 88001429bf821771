//! Where the program lies, with the new one and the one of before beside it.
use ring::digest::{SHA256, digest};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct Place {
    pub program: PathBuf,
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

impl Place {
    /// Of the running program.
    pub fn own() -> Result<Self, String> {
        let link = Path::new("/proc/self/exe");
        let program = fs::read_link(link).map_err(|error| failed(link, &error))?;
        if !program.exists() {
            return Err(format!("{}: the running program was removed or replaced; restart the sensor first", program.display()));
        }
        Ok(Self { program })
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.program.file_name().unwrap_or_default().to_os_string();
        name.push(ending);
        self.program.with_file_name(name)
    }

    pub fn fresh(&self) -> PathBuf {
        self.beside(".new")
    }

    pub fn previous(&self) -> PathBuf {
        self.beside(".previous")
    }

    /// SHA-256 of the program in its place, in hexadecimal.
    pub fn digest(&self) -> Result<String, String> {
        let bytes = fs::read(&self.program).map_err(|error| failed(&self.program, &error))?;
        Ok(crate::ndjson::hexadecimal(digest(&SHA256, &bytes).as_ref()))
    }

    /// Writes the new program beside the old one, executable and on the disk.
    pub fn put_beside(&self, program: &[u8]) -> Result<(), String> {
        let path = self.fresh();
        remove_if_there(&path)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(&path)
            .map_err(|error| format!("{}; where the program comes with an image, replace the image", failed(&path, &error)))?;
        file.write_all(program).and_then(|()| file.sync_all()).map_err(|error| failed(&path, &error))
    }

    /// Puts the new program in place; there is a program at every moment.
    pub fn swap(&self) -> Result<(), String> {
        let previous = self.previous();
        remove_if_there(&previous)?;
        fs::hard_link(&self.program, &previous).map_err(|error| failed(&previous, &error))?;
        fs::rename(self.fresh(), &self.program).map_err(|error| failed(&self.program, &error))
    }

    /// Puts the program of before back in its place.
    pub fn put_back(&self) -> Result<(), String> {
        fs::rename(self.previous(), &self.program).map_err(|error| failed(&self.program, &error))
    }
}

fn remove_if_there(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_swapped_and_put_back() {
        let folder = std::env::temp_dir().join(format!("place-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let place = Place { program: folder.join("sensor") };
        fs::write(&place.program, "one").expect("written");
        for round in 0..2 {
            place.put_beside(b"two").expect("beside");
            place.swap().expect("swapped");
            assert_eq!(fs::read(&place.program).expect("new"), b"two", "round {round}");
            assert_eq!(fs::read(place.previous()).expect("old"), b"one");
            place.put_back().expect("back");
            assert_eq!(fs::read(&place.program).expect("old"), b"one");
        }
        assert!(place.put_back().is_err());
        fs::remove_dir_all(folder).expect("clean");
    }
}

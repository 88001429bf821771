//! Executing a program and nothing else: what the kernel takes for no program, the C library's own way would give to a shell.
use super::place::Place;
use super::trial::TRIAL_VARIABLE;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;

/// A program in its place, with the words that this one was started with.
pub struct Execution {
    program: CString,
    _words: Vec<CString>,
    /// Addresses of the words and of the environment, each list ended by 0 (execve(2)).
    arguments: Vec<usize>,
    environment: Vec<usize>,
}

impl Execution {
    /// `trial`: the order whose program is tried.
    pub fn new(place: &Place, trial: Option<&str>) -> io::Result<Self> {
        let program = c_string(place.program.clone().into_os_string())?;
        let mut words = vec![program.clone()];
        for word in std::env::args_os().skip(1) {
            words.push(c_string(word)?);
        }
        let arguments = addresses(&words);
        let kept = std::env::vars_os().filter(|(name, _)| name != TRIAL_VARIABLE);
        let told = trial.map(|order| (OsString::from(TRIAL_VARIABLE), OsString::from(order)));
        let mut variables = Vec::new();
        for (mut name, value) in kept.chain(told) {
            name.push("=");
            name.push(value);
            variables.push(c_string(name)?);
        }
        let environment = addresses(&variables);
        words.append(&mut variables);
        Ok(Self { program, _words: words, arguments, environment })
    }

    /// Becomes the program; gives why that is not possible.
    pub fn begin(&self) -> io::Error {
        // SAFETY: all addresses are of strings that this value owns, and both lists end with 0.
        unsafe { libc::execve(self.program.as_ptr(), self.arguments.as_ptr().cast(), self.environment.as_ptr().cast()) };
        io::Error::last_os_error()
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    Ok(CString::new(text.into_vec())?)
}

fn addresses(texts: &[CString]) -> Vec<usize> {
    texts.iter().map(|text| text.as_ptr() as usize).chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_given_to_no_shell() {
        let folder = std::env::temp_dir().join(format!("bulwark-execution-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (program, made) = (folder.join("program"), folder.join("made"));
        std::fs::write(&program, format!("echo x > {}\n", made.display())).unwrap();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, permissions).unwrap();
        let error = Execution::new(&Place { program }, Some("order")).unwrap().begin();
        assert_eq!(error.raw_os_error(), Some(libc::ENOEXEC));
        assert!(!made.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

//! Lists the texts of the sample organisation, so that a new file needs no entry anywhere.

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let mut source = String::new();
    for (name, folder) in [("DOCUMENTS", "demo/documents"), ("DRAFTS", "demo/drafts")] {
        println!("cargo::rerun-if-changed={folder}");
        list(&mut source, name, folder)?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("demo_texts.rs"), source)?;
    Ok(())
}

/// Appends `NAME: &[(file name, text)]`, in the order of names.
///
/// The paths begin with the package's folder at the time the crate is compiled: Cargo may use the output of a build in another
/// folder, for example another clone with the same target folder.
fn list(source: &mut String, name: &str, folder: &str) -> Result<(), Box<dyn Error>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    writeln!(source, "pub(super) const {name}: &[(&str, &str)] = &[")?;
    for file in files {
        let (stem, path) = (file.file_stem().unwrap_or_default(), format!("/{}", file.display()));
        writeln!(source, "    ({:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),", stem.to_string_lossy())?;
    }
    writeln!(source, "];")?;
    Ok(())
}

//! Where a `clouds.yaml` is looked for.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::clouds_yaml::CloudsYaml;
use super::environment::Files;
use super::layer::quoted;

/// The file that was named, or the first of the usual places that has one; with the
/// `secure.yaml` of the same folder laid over it.
pub(super) fn find(
    named: Option<&str>,
    home: Option<&str>,
    files: &dyn Files,
) -> Result<CloudsYaml, String> {
    let places = match named {
        Some(path) => vec![PathBuf::from(path)],
        None => usual_places(home),
    };
    for path in &places {
        let Some(text) = read(path, files)? else {
            continue;
        };
        let clouds = CloudsYaml::parse(&text, Some(path.display().to_string()))?;
        let secure = path.with_file_name("secure.yaml");
        return match read(&secure, files)? {
            None => Ok(clouds),
            Some(text) => {
                let secure = CloudsYaml::parse(&text, Some(secure.display().to_string()))?;
                Ok(clouds.overlaid(secure))
            }
        };
    }
    match named {
        Some(path) => Err(format!(
            "OS_CLIENT_CONFIG_FILE: there is no file {}; set it to the path of a clouds.yaml",
            quoted(path)
        )),
        None => {
            let places: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
            Err(format!(
                "OS_CLOUD: set, but there is no clouds.yaml (looked for {}); put one there, or \
                 name it by OS_CLIENT_CONFIG_FILE",
                places.join(", ")
            ))
        }
    }
}

fn usual_places(home: Option<&str>) -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("clouds.yaml")];
    places.extend(home.map(|home| Path::new(home).join(".config/openstack/clouds.yaml")));
    places.push(PathBuf::from("/etc/openstack/clouds.yaml"));
    places
}

/// The file's text; `None` where there is none.
fn read(path: &Path, files: &dyn Files) -> Result<Option<String>, String> {
    let problem = match files.read(path) {
        Ok(content) => match String::from_utf8(content) {
            Ok(text) => return Ok(Some(text)),
            Err(_) => "it is not UTF-8".to_owned(),
        },
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) => error.to_string(),
    };
    Err(format!("{}: cannot be read ({problem})", path.display()))
}

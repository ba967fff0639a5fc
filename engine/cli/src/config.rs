//! The configuration: default places, any option, and what the daemon does.

mod daemon;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use loglens_engine::{Error, Owner};
use serde::{Deserialize, Deserializer};

use crate::arguments::{LogOptions, ResultOptions, S3Options};
use crate::failure::Failure;
use crate::output::Format;
use daemon::Section;
pub(crate) use daemon::{Daemon, Part, Said, Window, key_of};

const FILE_NAME: &str = "loglens.toml";

/// The section of the daemon.
const CONSUME: &str = "consume";

/// What a `loglens.toml` may say. Arguments go before it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Places to read when none are named. Relative ones start at the file's folder.
    #[serde(default)]
    from: Vec<Place>,
    /// Folders with named queries: one, or a list. Relative ones start at the file's folder.
    #[serde(default, deserialize_with = "one_or_more")]
    queries: Vec<String>,
    last: Option<String>,
    since: Option<String>,
    until: Option<String>,
    tz: Option<String>,
    table: Option<String>,
    /// Descriptions of formats. Relative ones start at the file's folder.
    #[serde(default)]
    format: Vec<String>,
    fields: Option<String>,
    #[serde(default)]
    strict: bool,
    max_expansion: Option<u64>,
    memory_limit: Option<String>,
    max_bytes: Option<String>,
    max_cost: Option<f64>,
    /// Prices that replace those of the engine's table.
    #[serde(default)]
    prices: toml::Table,
    threads: Option<usize>,
    profile: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    #[serde(default)]
    path_style: bool,
    #[serde(default)]
    anonymous: bool,
    #[serde(default)]
    requester_pays: bool,
    #[serde(default)]
    fips: bool,
    #[serde(default)]
    dual_stack: bool,
    /// The file with the key of objects. A relative one starts at the file's folder.
    sse_c_key: Option<String>,
    /// The folder of the cache. A relative one starts at the file's folder.
    cache: Option<String>,
    cache_size: Option<String>,
    #[serde(default)]
    offline: bool,
    #[serde(default, deserialize_with = "format")]
    output: Option<Format>,
    #[serde(default)]
    stats: bool,
    /// What `loglens consume` does.
    #[serde(default)]
    consume: Section,
}

/// A place, alone or with the role that reads it.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a place, or { place, role_arn, external_id }"
)]
enum Place {
    Named(String),
    WithRole(PlaceWithRole),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceWithRole {
    place: String,
    role_arn: String,
    external_id: Option<String>,
}

/// The role that reads a place.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
}

/// The roles of places, by place.
pub(crate) type Roles = BTreeMap<String, Role>;

/// What only the configuration can say.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The roles of places, by place.
    pub(crate) roles: Roles,
    /// Prices that replace those of the engine's table.
    pub(crate) prices: toml::Table,
}

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Format>, D::Error> {
    let name = String::deserialize(deserializer)?;
    Format::from_str(&name, true).map(Some).map_err(|_| {
        let names: Vec<_> = Format::value_variants()
            .iter()
            .filter_map(Format::to_possible_value)
            .collect();
        let names: Vec<_> = names
            .iter()
            .map(clap::builder::PossibleValue::get_name)
            .collect();
        serde::de::Error::custom(format!(
            "no output format \"{name}\": there are {}",
            names.join(", ")
        ))
    })
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a folder or a list of folders")]
    enum Folders {
        One(String),
        More(Vec<String>),
    }
    Ok(match Folders::deserialize(deserializer)? {
        Folders::One(folder) => vec![folder],
        Folders::More(folders) => folders,
    })
}

/// The folders with named queries that the configuration says.
pub(crate) fn query_folders(named: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    let Some(path) = find(named) else {
        return Ok(Vec::new());
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let queries = read(&path)?.queries;
    Ok(queries.iter().map(|queries| folder.join(queries)).collect())
}

/// Completes arguments with the configuration, if there is one.
pub(crate) fn complete(
    places: &mut Vec<String>,
    logs: &mut LogOptions,
    result: &mut ResultOptions,
) -> Result<Settings, Failure> {
    let Some(path) = find(logs.config.as_deref()) else {
        return Ok(Settings::default());
    };
    let mut config = read(&path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let roles = of_places(&mut config, folder, places, &mut logs.s3);
    let cache = &mut logs.cache;
    let kept = config
        .cache
        .map(|place| PathBuf::from(absolute(folder, &place)));
    cache.cache = cache.cache.take().or(kept);
    cache.cache_size = cache.cache_size.take().or(config.cache_size);
    cache.offline |= config.offline;
    if logs.last.is_none() && logs.since.is_none() && logs.until.is_none() {
        (logs.last, logs.since, logs.until) = (config.last, config.since, config.until);
    }
    logs.tz = logs.tz.take().or(config.tz);
    logs.table = logs.table.take().or(config.table);
    let formats = config.format.iter();
    logs.format
        .extend(formats.map(|file| PathBuf::from(absolute(folder, file))));
    logs.fields = logs.fields.take().or(config.fields);
    logs.strict |= config.strict;
    logs.max_expansion = logs.max_expansion.or(config.max_expansion);
    logs.memory_limit = logs.memory_limit.take().or(config.memory_limit);
    logs.max_bytes = logs.max_bytes.take().or(config.max_bytes);
    logs.max_cost = logs.max_cost.or(config.max_cost);
    logs.threads = logs.threads.or(config.threads);
    if result.to.is_none() {
        result.output = result.output.or(config.output);
    }
    result.stats |= config.stats;
    Ok(Settings {
        roles,
        prices: config.prices,
    })
}

/// Completes places and how S3 is reached with the configuration, if there is one; gives its name
/// and its roles.
pub(crate) fn complete_places(
    places: &mut Vec<String>,
    s3: &mut S3Options,
    named: Option<&Path>,
) -> Result<Option<(String, Roles)>, Failure> {
    let Some(path) = find(named) else {
        return Ok(None);
    };
    let mut config = read(&path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let roles = of_places(&mut config, folder, places, s3);
    Ok(Some((path.display().to_string(), roles)))
}

/// Completes how AWS is reached with the configuration, if there is one; gives what it says about
/// the daemon.
pub(crate) fn complete_daemon(s3: &mut S3Options, named: Option<&Path>) -> Result<Daemon, Failure> {
    let Some(path) = find(named) else {
        return Ok(Daemon::default());
    };
    let text = text_of(&path)?;
    let mut config = parse(&path, &text)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(Daemon {
        roles: of_places(&mut config, folder, &mut Vec::new(), s3),
        section: config.consume,
        file: Some((path, text)),
    })
}

/// Takes places and how S3 is reached out of the configuration; gives its roles.
fn of_places(
    config: &mut Config,
    folder: &Path,
    places: &mut Vec<String>,
    s3: &mut S3Options,
) -> Roles {
    let mut roles = Roles::new();
    let mut from = Vec::new();
    for place in std::mem::take(&mut config.from) {
        from.push(match place {
            Place::Named(place) => absolute(folder, &place),
            Place::WithRole(with) => {
                let role = Role {
                    arn: with.role_arn,
                    external_id: with.external_id,
                };
                roles.insert(with.place.clone(), role);
                with.place
            }
        });
    }
    if places.is_empty() {
        *places = from;
    }
    s3.profile = s3.profile.take().or(config.profile.take());
    s3.region = s3.region.take().or(config.region.take());
    s3.endpoint_url = s3.endpoint_url.take().or(config.endpoint_url.take());
    s3.path_style |= config.path_style;
    s3.anonymous |= config.anonymous;
    s3.requester_pays |= config.requester_pays;
    s3.fips |= config.fips;
    s3.dual_stack |= config.dual_stack;
    let key = config.sse_c_key.take();
    let key = key.map(|file| PathBuf::from(absolute(folder, &file)));
    s3.sse_c_key = s3.sse_c_key.take().or(key);
    roles
}

/// Whether the configuration names places. One that cannot be read counts: whoever reads it next
/// says why.
pub(crate) fn names_places() -> bool {
    let named = std::env::var_os("LOGLENS_CONFIG").map(PathBuf::from);
    find(named.as_deref())
        .is_some_and(|path| read(&path).map_or(true, |config| !config.from.is_empty()))
}

/// The file that was named, or the first that exists of `./loglens.toml` and the one in the
/// user's configuration folder.
fn find(named: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = named {
        return Some(path.to_owned());
    }
    let here = PathBuf::from(FILE_NAME);
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".config")));
    let user = folder.map(|folder| folder.join("loglens").join(FILE_NAME));
    std::iter::once(here)
        .chain(user)
        .find(|path| path.is_file())
}

fn read(path: &Path) -> Result<Config, Failure> {
    parse(path, &text_of(path)?)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| Error::new(Owner::Config, format!("{}: {error}", path.display())).into())
}

fn parse(path: &Path, text: &str) -> Result<Config, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        let key = key_in(error);
        let hint = match &key {
            Some(key) if key.starts_with(CONSUME) => "the keys of [consume] are the options of `loglens consume --help`, with underscores, and stream, partition_by and windows",
            _ => "every option of `loglens query --help` can stand there, with underscores; `from` lists places",
        };
        let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
        let name = path.display();
        Error::new(Owner::Config, format!("{name}:{line}: {key}{message}"))
            .hint(hint)
            .into()
    })
}

/// The key that an error is about. The crate says it only where it shows no text.
fn key_in(mut error: toml::de::Error) -> Option<String> {
    error.set_input(None);
    let said = error.to_string();
    let key = said.trim_end().rsplit_once("\nin `")?.1;
    Some(key.strip_suffix('`')?.to_owned())
}

/// The line, from 1, on which a byte stands.
fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn absolute(folder: &Path, place: &str) -> String {
    if place == "-" || place.contains("://") || folder.as_os_str().is_empty() {
        return place.to_owned();
    }
    folder.join(place).to_string_lossy().into_owned()
}

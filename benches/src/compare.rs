//! The comparison: every case over every layout, everybody in turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::arguments::Compare;
use crate::cases::{Case, Cases, Family, Layout, Storage};
use crate::data::{self, Data};
use crate::entrant::Entrant;
use crate::error::{Error, Result};
use crate::floors;
use crate::loglens::Loglens;
use crate::machine::{self, Machine};
use crate::peers::{Peer, Running, Task};
use crate::report;
use crate::results::{CaseResults, Contestant, LOGLENS, LayoutResults, ONE_CORE, Results};
use crate::{measure, memory, parsers};

/// Where things are, and who takes part.
struct Session<'a> {
    arguments: &'a Compare,
    loglens: Loglens,
    python: PathBuf,
    scripts: PathBuf,
    threads: usize,
    peers: Vec<Peer>,
    versions: BTreeMap<String, String>,
}

/// Compares; false if answers differ.
pub(crate) fn compare(arguments: &Compare) -> Result<bool> {
    let cases = Cases::built_in()?;
    let layouts = layouts(&arguments.layouts)?;
    let (machine, load) = (Machine::this(), machine::load());
    let threads = arguments.threads.unwrap_or(machine.cores);
    // Peers are started by this process, so this holds for them too.
    measure::keep_to_cores(threads)?;
    let mut session = Session {
        arguments,
        loglens: Loglens::find(arguments.loglens.as_deref())?,
        python: std::path::absolute(&arguments.python).map_err(Error::at(&arguments.python))?,
        scripts: arguments.scripts.clone(),
        threads,
        peers: peers(&arguments.peers)?,
        versions: BTreeMap::new(),
    };
    check_names(&cases, &arguments.cases)?;
    let select_one = session.select_one()?;
    let mut results = Vec::new();
    for family in Family::ALL {
        let chosen: Vec<Layout> = layouts
            .iter()
            .copied()
            .filter(|layout| layout.family == family)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let of_family = cases.of(family);
        let rows = data::rows_of(family, arguments.rows);
        eprintln!("data: {} {} records", rows, family.name());
        let data = Data::ensure(&arguments.data, family, &of_family.table, rows)?;
        for layout in chosen {
            results.push(session.layout(&data, layout, &of_family.cases)?);
        }
    }
    let parsers = if arguments.no_parsers {
        Vec::new()
    } else {
        eprintln!("parsers");
        parsers::measure(arguments.runs)?
    };
    let memory = if arguments.memory {
        memory::measure(arguments, &cases, &session.loglens, threads)?
    } else {
        Vec::new()
    };
    let results = Results {
        date: machine::today(),
        commit: commit(),
        machine,
        load,
        threads,
        rows: arguments.rows,
        runs: arguments.runs,
        binary_bytes: session.loglens.bytes(),
        select_one,
        versions: session.versions,
        layouts: results,
        parsers,
        memory,
    };
    let folder = arguments
        .out
        .join(format!("{}-{}", results.date, results.machine.name()));
    report::write(&results, &folder)?;
    println!("{}", report::markdown(&results));
    eprintln!("written to {}", folder.display());
    Ok(results.agree())
}

impl Session<'_> {
    fn select_one(&self) -> Result<Contestant> {
        let mut contestant = Contestant::new(LOGLENS);
        for run in 0..=self.arguments.runs {
            let (measured, _) = self.loglens.run(self.threads, &[], "select 1", None)?;
            if run > 0 {
                contestant.add(measured.seconds, measured.cpu_seconds, measured.peak_bytes);
            }
        }
        Ok(contestant)
    }

    fn layout(&mut self, data: &Data, layout: Layout, cases: &[Case]) -> Result<LayoutResults> {
        eprintln!("{}", layout.title());
        if layout.storage == Storage::Parquet {
            self.write_parquet(data)?;
        }
        let files = data.files(layout.storage)?;
        // So that the page cache holds them.
        let mut file_bytes = 0;
        for file in &files {
            file_bytes += fs::read(file).map_err(Error::at(file))?.len() as u64;
        }
        let floors = floors::floors(data, layout.storage, self.threads, self.arguments.runs)?;
        let mut results = Vec::new();
        for case in cases
            .iter()
            .filter(|case| is_chosen(&self.arguments.cases, &case.name))
        {
            results.push(self.case(data, layout, case)?);
        }
        Ok(LayoutResults {
            layout,
            rows: data.manifest.rows,
            file_bytes,
            text_bytes: data.manifest.text_bytes,
            floors,
            cases: results,
        })
    }

    /// One case: everybody starts and warms up, then everybody runs in turn.
    fn case(&mut self, data: &Data, layout: Layout, case: &Case) -> Result<CaseResults> {
        let statement = case.loglens(&data.manifest.values);
        let place = data.place(match layout.storage {
            Storage::Parquet => Storage::Plain,
            storage => storage,
        });
        let ours = |cores| {
            self.loglens
                .run(cores, &[], &statement, Some(&place))
                .map_err(|error| Error::new(format!("loglens: {}: {error}", case.name)))
        };
        // The answer that all others are held against: that of loglens, or if it has none, the first.
        let mut expected = ours(self.threads).ok().map(|(_, answer)| answer);
        let mut entrants = vec![Entrant::ours(LOGLENS, self.threads)];
        if self.threads > 1 {
            entrants.push(Entrant::ours(ONE_CORE, 1));
        }
        let mut versions = BTreeMap::new();
        for &peer in self.peers.iter().filter(|peer| peer.takes_part(layout)) {
            let started = self.start(peer, data, layout, case);
            if let Ok(running) = &started {
                versions.insert(peer.name().to_owned(), running.version.clone());
            }
            entrants.push(Entrant::peer(peer, started));
        }
        // The first run warms up, and everybody begins in turn.
        for run in 0..=self.arguments.runs {
            for at in 0..entrants.len() {
                let count = entrants.len();
                let entrant = &mut entrants[(at + run) % count];
                entrant.run(run > 0, &mut expected, case.alike(), &ours);
            }
        }
        let contestants: Vec<Contestant> = entrants.into_iter().map(Entrant::contestant).collect();
        self.versions.extend(versions);
        let results = CaseResults {
            name: case.name.clone(),
            title: case.title.clone(),
            note: case.note.clone(),
            answer_rows: expected.map_or(0, |answer| answer.rows.len()),
            contestants,
        };
        eprintln!("  {}", report::case_line(&results));
        Ok(results)
    }

    fn start(&self, peer: Peer, data: &Data, layout: Layout, case: &Case) -> Result<Running> {
        if let Some(reason) = peer.cannot_read(layout) {
            return Err(Error::new(reason));
        }
        let task = Task {
            peer: peer.name().to_owned(),
            threads: self.threads,
            log: data.log(layout, &case.members)?,
            query: case
                .query(peer, &data.manifest.values)
                .map_err(Error::new)?,
        };
        Running::start(peer, &self.python, &self.scripts, &task)
    }

    /// Writes the log as Parquet, by a peer, unless that is done.
    fn write_parquet(&self, data: &Data) -> Result<()> {
        let to = data.place(Storage::Parquet);
        if to.exists() {
            return Ok(());
        }
        let task = Task {
            peer: Peer::Duckdb.name().to_owned(),
            threads: self.threads,
            log: data.log(Layout::new(data.family, Storage::Plain), &[])?,
            query: String::new(),
        };
        let unfinished = to.with_extension("unfinished");
        let mut child = Command::new(&self.python)
            .arg("-B")
            .arg(self.scripts.join("parquet.py"))
            .arg(&unfinished)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(Error::at(&self.python))?;
        if let Some(input) = child.stdin.take() {
            serde_json::to_writer(input, &task)?;
        }
        let status = child.wait().map_err(Error::at(&self.python))?;
        if !status.success() {
            return Err(Error::new(format!("parquet.py: {status}")));
        }
        fs::rename(&unfinished, &to).map_err(Error::at(&to))
    }
}

fn is_chosen(chosen: &[String], name: &str) -> bool {
    chosen.is_empty() || chosen.iter().any(|one| one == name)
}

/// The layouts that are named, alone or by their family.
fn layouts(names: &[String]) -> Result<Vec<Layout>> {
    let known = |name: &String| {
        Layout::ALL
            .iter()
            .any(|layout| layout.name() == *name || layout.family.name() == name)
    };
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all = Layout::ALL.map(Layout::name).join(", ");
        return Err(Error::new(format!(
            "no layout is named `{name}`; there are {all}"
        )));
    }
    let chosen = |layout: &Layout| {
        is_chosen(names, &layout.name()) || is_chosen(names, layout.family.name())
    };
    Ok(Layout::ALL.into_iter().filter(chosen).collect())
}

fn peers(names: &[String]) -> Result<Vec<Peer>> {
    if names == ["none"] {
        return Ok(Vec::new());
    }
    let known = Peer::ALL.map(Peer::name);
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let all = known.join(", ");
        return Err(Error::new(format!(
            "no peer is named `{name}`; there are {all}"
        )));
    }
    Ok(Peer::ALL
        .into_iter()
        .filter(|peer| is_chosen(names, peer.name()))
        .collect())
}

fn check_names(cases: &Cases, names: &[String]) -> Result<()> {
    let all: Vec<&str> = Family::ALL
        .iter()
        .flat_map(|&family| &cases.of(family).cases)
        .map(|case| case.name.as_str())
        .collect();
    match names.iter().find(|name| !all.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::new(format!(
            "no case is named `{name}`; there are {}",
            all.join(", ")
        ))),
    }
}

/// The commit that is checked out, and whether there are changes to it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) =
        git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| !commit.is_empty())
    else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} with changes"),
    }
}

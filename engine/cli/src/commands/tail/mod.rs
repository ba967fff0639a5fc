//! `loglens tail`.

mod inputs;
mod live;
mod output;
mod state;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use loglens_engine::stream::{Stream, StreamOptions};
use loglens_engine::{Error, Owner, Statement};

use self::inputs::Inputs;
use self::output::Rows;
use self::state::StateFolder;
use super::query;
use super::session::{Session, duration_of, note};
use crate::arguments::Tail;
use crate::failure::Failure;
use crate::receipt;
use crate::runtime::Stop;
use crate::{parameters, runtime};

/// How long it waits before it looks again, where nothing came.
const PAUSE: Duration = Duration::from_millis(100);

/// The beginning of a command that has its SQL.
const EXAMPLE: &str = "tail \"SELECT * FROM vpc_flow_logs\"";

/// How often the state is kept, at most.
const KEEP: Duration = Duration::from_secs(1);

/// Runs until the input ends or it is asked to end, and then keeps where it is.
pub(crate) fn run(arguments: Tail) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    let work = async { tokio::spawn(tail(arguments)).await };
    let result = runtime.block_on(work);
    runtime::end(runtime);
    result.unwrap_or_else(|error| Err(Failure::panicked(&error)))
}

async fn tail(arguments: Tail) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let mut places = arguments.sql_and_places;
    let sql = query::sql(arguments.file.as_deref(), &mut places, EXAMPLE)?;
    let options = StreamOptions {
        disorder: arguments
            .watermark
            .as_deref()
            .map(|text| duration_of("--watermark", text))
            .transpose()?,
        lateness: duration_of("--lateness", &arguments.lateness)?,
        idle: duration_of("--idle", &arguments.idle)?,
    };
    let speed = Speed::new(arguments.speed)?;
    let inputs = Inputs::new(arguments.once, speed.is_some());
    let session = Session::over(
        places,
        arguments.logs,
        arguments.result,
        |_, _| Ok(()),
        |place| inputs.open(place),
    )?;
    if session.places.is_empty() {
        return Err(Failure::usage(
            "no logs were named",
            "name a file, a folder, a glob or - after the SQL",
        ));
    }
    let mut statements = session.engine.parse(&sql)?;
    parameters::bind(&mut statements, &arguments.param)?;
    let statement = one(statements)?;
    let state = arguments
        .state
        .as_deref()
        .map(StateFolder::open)
        .transpose()?;
    if state.is_some() && !inputs.can_resume() {
        return Err(Failure::usage(
            "--state: standard input cannot be gone back to",
            "name files or folders",
        ));
    }
    let kept = state.as_ref().map(StateFolder::load).transpose()?.flatten();
    // What the records are is known when there are some.
    while !inputs.wait_for_something()? {
        if stop.within(PAUSE).await {
            return Ok(());
        }
    }
    let stream = session.engine.stream(statement, options).await?;
    let is_live = session.result.to.is_none() && std::io::stdout().is_terminal();
    let mut tail = Following {
        rows: Rows::open(
            &session.result,
            &stream,
            options.lateness > Duration::ZERO,
            is_live,
            arguments.late_to.as_deref(),
            kept.as_ref().and_then(|kept| kept.written),
        )?,
        stream,
        inputs,
        state,
        once: arguments.once,
        speed,
        kept_at: Instant::now(),
        changed: false,
    };
    if let Some(kept) = kept {
        tail.resume(&kept)?;
    }
    let result = tail.run(&mut stop).await;
    tail.rows.end()?;
    result?;
    if let Some(line) = receipt::rejects(
        &tail.stream.ledger().totals().rejects,
        "loglens query \"SELECT * FROM rejects\" ...",
    ) {
        note(&line);
    }
    if let Some(line) = receipt::without_time(tail.stream.ledger().totals().without_time) {
        note(&line);
    }
    tail.rows.say_late();
    Ok(())
}

/// A statement that is being answered as its logs arrive.
struct Following {
    stream: Stream,
    inputs: Inputs,
    rows: Rows,
    state: Option<StateFolder>,
    once: bool,
    speed: Option<Speed>,
    kept_at: Instant,
    /// Something was read since the state was kept.
    changed: bool,
}

impl Following {
    async fn run(&mut self, stop: &mut Stop) -> Result<(), Failure> {
        let mut look = Look::default();
        loop {
            // A walk through a large folder is not made again for each step.
            let is_at_end = match self.stream.is_idle() || look.is_due() {
                true => look.at(self.take_in()).await?,
                false => false,
            };
            let (stream, rows) = (&mut self.stream, &mut self.rows);
            let pause = match stream.step(|output| rows.write(output)).await? {
                Some(step) => {
                    self.inputs.read(step.source, &step.objects);
                    self.changed = true;
                    let speed = self.speed.as_mut();
                    speed.map_or(Duration::ZERO, |speed| speed.pause(self.stream.latest()))
                }
                None => {
                    let mut gave = false;
                    let give = |output| {
                        gave = true;
                        rows.write(output)
                    };
                    stream.advance(give).await?;
                    self.changed |= gave;
                    look.due_in()
                }
            };
            self.rows.flush()?;
            self.keep(KEEP)?;
            if is_at_end || stop.within(pause).await {
                self.changed = true;
                return self.keep(Duration::ZERO);
            }
        }
    }

    /// Takes in what arrived; true if nothing did and nothing more will.
    async fn take_in(&mut self) -> Result<bool, Failure> {
        let mut came = false;
        for source in 0..self.inputs.len() {
            let arrived = self.inputs.arrived(source)?;
            for (key, why) in arrived.left_out {
                note(&format!("left out: {key}: {why}"));
            }
            came |= !arrived.objects.is_empty();
            let others = self.stream.take(source, arrived.objects).await?;
            self.inputs.read(source, &others);
            if arrived.ended {
                self.inputs.end(source);
                self.stream.ended(source);
            }
        }
        for left_out in self.stream.take_left_out() {
            note(&format!("left out: {}: {}", left_out.key, left_out.reason));
        }
        let is_idle = !came && self.stream.is_idle();
        if is_idle && self.once {
            for source in 0..self.inputs.len() {
                self.stream.ended(source);
            }
        }
        Ok(is_idle && (self.once || self.inputs.have_ended()))
    }

    /// Keeps the state, if it is older than that.
    fn keep(&mut self, age: Duration) -> Result<(), Failure> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        if !self.changed || self.kept_at.elapsed() < age {
            return Ok(());
        }
        let written = self.rows.written()?;
        let positions = state::text(&self.inputs.positions(), written);
        state.save(&self.stream.save(&positions)?)?;
        self.kept_at = Instant::now();
        self.changed = false;
        Ok(())
    }

    fn resume(&mut self, kept: &state::Kept) -> Result<(), Failure> {
        self.stream.restore(&kept.stream)?;
        self.inputs.resume(&kept.positions)?;
        Ok(())
    }
}

/// When the places are looked at: often, and no more than a tenth of the time.
#[derive(Default)]
struct Look {
    due: Option<Instant>,
}

impl Look {
    fn is_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// How long until the next one.
    fn due_in(&self) -> Duration {
        self.due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        })
    }

    /// Looks.
    async fn at<T>(&mut self, look: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let seen = look.await;
        self.due = Some(Instant::now() + PAUSE.max(begun.elapsed() * 10));
        seen
    }
}

/// The one statement.
fn one(mut statements: Vec<Statement>) -> Result<Statement, Failure> {
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => Err(Failure::usage(
            "tail answers one statement",
            "loglens tail \"SELECT * FROM vpc_flow_logs\" FILE",
        )),
    }
}

/// Replays at a multiple of the speed at which things happened.
struct Speed {
    times: f64,
    /// When the first rows were read, and their time in microseconds.
    begun: Option<(Instant, i64)>,
}

impl Speed {
    fn new(times: Option<f64>) -> Result<Option<Self>, Failure> {
        match times {
            Some(times) if !(times.is_finite() && times > 0.0) => Err(Error::new(
                Owner::Usage,
                format!("--speed {times}: not a speed"),
            )
            .hint("1 is as it happened, 60 a minute each second")
            .into()),
            times => Ok(times.map(|times| Self { times, begun: None })),
        }
    }

    /// How long to wait after rows of this time were read.
    fn pause(&mut self, latest: Option<i64>) -> Duration {
        let Some(latest) = latest else {
            return Duration::ZERO;
        };
        let (begun, first) = *self.begun.get_or_insert((Instant::now(), latest));
        let passed = Duration::from_micros(u64::try_from(latest - first).unwrap_or(0));
        passed.div_f64(self.times).saturating_sub(begun.elapsed())
    }
}

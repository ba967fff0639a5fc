//! The engine: statements in, batches out.
//!
//! - `conversion`: what `convert` asks of it.
//! - `destination`: where the rows go of a statement that writes.
//! - `describing`: statements about tables, not about their rows.
//! - `lots`: objects that are at hand, whose rows become files.

mod conversion;
mod describing;
mod destination;
mod lots;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::Span;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement as SqlStatement};
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as Ast};
use loglens_parsers::format::Formats;
use object_store::ObjectStore;
use tokio::sync::OnceCell;

pub use self::lots::Lot;
use crate::archive::{Archive, Given, Unrecognised};
use crate::cost::{self, Estimate, Limits, Prices};
use crate::error::{Error, Owner};
use crate::journal::Uncommitted;
use crate::ledger::{Expected, Ledger};
use crate::object::{ObjectSource, Reading, Requests};
use crate::query::{Output, Query, requests};
use crate::session::{self, SessionSpec};
use crate::sql::dialect::AthenaDialect;
use crate::sql::parameters::{self, Values};
use crate::sql::{errors, hidden_columns, references, struct_names, windows};
use crate::tables::committed_files::CommittedFiles;
use crate::tables::log_table::{BYTES_PER_PARTITION, ScanOptions};
use crate::tables::parquet_table;
use crate::tables::planned_files::{PlannedFiles, planned_files};
use crate::tables::rejects;
use crate::tables::schema::LogSchema;
use crate::write::Places;
use crate::write::statement;

/// What an engine is built from.
#[derive(Debug, Default)]
pub struct EngineOptions {
    /// Where the logs lie.
    pub sources: Vec<Arc<dyn ObjectSource>>,
    /// What the user says of every object.
    pub given: Given,
    /// Only records from this time on, in microseconds since 1970.
    pub since: Option<i64>,
    /// Only records before this time, in microseconds since 1970.
    pub until: Option<i64>,
    /// The first reject is an error.
    pub strict: bool,
    /// How far an object may expand: inflated bytes for each byte.
    pub max_expansion: Option<u64>,
    /// Time zone of `event_time` and of times without a zone; None is UTC.
    pub zone: Option<String>,
    /// Bytes that operators may hold before they spill or refuse.
    pub memory_limit: Option<usize>,
    /// Cores to use.
    pub threads: Option<usize>,
    /// Opens what statements write to; None lets none write.
    pub places: Option<Arc<dyn Places>>,
    /// What a statement may read at most.
    pub limits: Limits,
    /// Prices that replace those of the table, by their names.
    pub prices: toml::Table,
}

/// Plans and runs statements over one set of sources.
pub struct Engine {
    sources: Arc<[Arc<dyn ObjectSource>]>,
    places: Option<Arc<dyn Places>>,
    limits: Limits,
    prices: Arc<Prices>,
    given: Given,
    scan: ScanOptions,
    zone: Arc<str>,
    schema: Arc<LogSchema>,
    session: SessionContext,
    archive: OnceCell<Archive>,
}

/// A statement that was planned.
pub(crate) struct Planned {
    pub(crate) sql: Arc<str>,
    pub(crate) logical: LogicalPlan,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    pub(crate) ledger: Arc<Ledger>,
}

/// A statement that was parsed, with its text.
#[derive(Debug, Clone)]
pub struct Statement {
    sql: Arc<str>,
    ast: SqlStatement,
    /// It is not to be run: what it would read and cost is asked for.
    is_of_cost: bool,
}

impl Statement {
    /// Names of the parameters that have no value yet, without their `$`.
    pub fn parameters(&self) -> BTreeSet<String> {
        let unbound = parameters::unbound(&self.ast).into_iter();
        unbound.map(|(name, _)| name).collect()
    }

    /// The same, not to be run: what it would read and cost is the answer.
    #[must_use]
    pub fn of_cost(self) -> Self {
        Self {
            is_of_cost: true,
            ..self
        }
    }

    /// Whether it has a HAVING of its own.
    pub fn has_having(&self) -> bool {
        let SqlStatement::Statement(ast) = &self.ast else {
            return false;
        };
        match &**ast {
            Ast::Query(query) => match &*query.body {
                SetExpr::Select(select) => select.having.is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// Puts values where their parameters stand. Others stay: a statement that is planned with
    /// some is an error, and so is a value that does not fit its place.
    pub fn bind(&mut self, values: &Values) {
        parameters::bind(&mut self.ast, values);
    }

    /// The error for a parameter that has no value, if there is one.
    fn check_bound(&self) -> Result<(), Error> {
        let unbound = parameters::unbound(&self.ast);
        let Some((name, span)) = unbound.first() else {
            return Ok(());
        };
        let error = Error::new(Owner::Query, format!("no value for the parameter ${name}"))
            .hint(format!("give it one: --param {name}=VALUE"));
        let place =
            Span::try_from_sqlparser_span(*span).and_then(|span| errors::place(&self.sql, span));
        Err(match place {
            Some(place) => error.at(place),
            None => error,
        })
    }
}

impl Engine {
    /// An engine. Nothing is read yet.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let zone: Arc<str> = Arc::from(options.zone.unwrap_or_else(|| "UTC".to_owned()));
        let schema = Arc::new(LogSchema::new(options.given.formats.clone()));
        let session = session::build(SessionSpec {
            zone: Arc::clone(&zone),
            memory_limit: options.memory_limit,
            threads: options.threads,
            schema: Arc::clone(&schema),
        })
        .map_err(|error| errors::explain(&error, ""))?;
        Ok(Self {
            sources: options.sources.into(),
            places: options.places,
            limits: options.limits,
            prices: Arc::new(Prices::with(&options.prices)?),
            scan: ScanOptions {
                fields: options.given.fields.clone(),
                since: options.since,
                until: options.until,
                strict: options.strict,
                max_expansion: options.max_expansion,
            },
            given: options.given,
            zone,
            schema,
            session,
            archive: OnceCell::new(),
        })
    }

    /// Parses one or more statements.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>, Error> {
        let dialect = AthenaDialect::default();
        let parsed = DFParserBuilder::new(sql)
            .with_dialect(&dialect)
            .build()
            .and_then(|mut parser| cost::statements(&mut parser))
            .map_err(|error| errors::explain(&error, sql))?;
        let sql: Arc<str> = Arc::from(sql);
        let statement = |(ast, is_of_cost)| Statement {
            sql: Arc::clone(&sql),
            ast,
            is_of_cost,
        };
        Ok(parsed.into_iter().map(statement).collect())
    }

    /// Plans a statement: the one way in for everything that asks SQL.
    pub async fn plan(&self, statement: Statement) -> Result<Query, Error> {
        statement.check_bound()?;
        let before = requests(&self.sources);
        let Statement {
            sql,
            mut ast,
            is_of_cost,
        } = statement;
        let destination = self.destination(&mut ast).await?;
        let explain = |error| errors::explain(&error, &sql);
        let (state, ledger, plan) = self.logical(&sql, ast).await?;
        let is_read = !is_of_cost && !matches!(plan, LogicalPlan::Explain(_));
        let plan = match plan {
            LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) if is_of_cost => {
                return Err(Error::new(Owner::Usage, "only what reads rows has a cost")
                    .hint("EXPLAIN COST SELECT ..."));
            }
            LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) => {
                let done = self
                    .session
                    .execute_logical_plan(plan)
                    .await
                    .map_err(explain)?;
                done.into_optimized_plan().map_err(explain)?
            }
            plan @ (LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) => plan,
            plan => struct_names::simplify(plan).map_err(explain)?,
        };
        let plan = match &destination {
            Some(destination) => destination.rows(plan)?,
            None => plan,
        };
        let plan = state.create_physical_plan(&plan).await.map_err(explain)?;
        let estimate = self.estimate(&plan, &ledger.expected(), before);
        if is_read {
            self.limits.check(&estimate, &self.prices)?;
        }
        Ok(Query {
            plan,
            context: state.task_ctx(),
            ledger,
            sql: Arc::clone(&sql),
            sources: Arc::clone(&self.sources),
            prices: Arc::clone(&self.prices),
            before,
            output: match destination {
                _ if is_of_cost => Output::Cost(estimate),
                Some(destination) => Output::Written(destination),
                None => Output::Rows,
            },
        })
    }

    /// Plans a statement that is asked of what arrives.
    pub(crate) async fn plan_stream(&self, statement: Statement) -> Result<Planned, Error> {
        statement.check_bound()?;
        let Statement {
            sql,
            ast,
            is_of_cost,
        } = statement;
        if is_of_cost || !statement::is_query(&ast) {
            return Err(Error::new(
                Owner::Usage,
                "only a SELECT is asked of what arrives",
            ));
        }
        let explain = |error| errors::explain(&error, &sql);
        let (state, ledger, plan) = self.logical(&sql, ast).await?;
        let plan = struct_names::simplify(plan).map_err(explain)?;
        let logical = state.optimize(&plan).map_err(explain)?;
        let physical = state
            .create_physical_plan(&logical)
            .await
            .map_err(explain)?;
        Ok(Planned {
            context: state.task_ctx(),
            sql,
            ledger,
            logical,
            physical,
        })
    }

    /// What a statement asks, in a session of its own with a ledger.
    async fn logical(
        &self,
        sql: &str,
        mut ast: SqlStatement,
    ) -> Result<(SessionState, Arc<Ledger>, LogicalPlan), Error> {
        let explain = |error| errors::explain(&error, sql);
        let ledger = Arc::new(Ledger::default());
        let mut state = self.session.state();
        state.config_mut().set_extension(Arc::clone(&ledger));
        self.prepare(&mut state, &mut ast)
            .await
            .map_err(|error| match error {
                Prepare::Ours(error) => error,
                Prepare::DataFusion(error) => explain(error),
            })?;
        let plan = state.statement_to_plan(ast).await.map_err(explain)?;
        Ok((state, ledger, plan))
    }

    /// Where the logs lie.
    pub(crate) fn sources(&self) -> &Arc<[Arc<dyn ObjectSource>]> {
        &self.sources
    }

    /// What the user says of every object.
    pub(crate) fn given(&self) -> &Given {
        &self.given
    }

    /// What a plan will read, and has read to be made.
    fn estimate(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        expected: &Expected,
        before: Requests,
    ) -> Estimate {
        let footers = self
            .session
            .runtime_env()
            .cache_manager
            .get_file_metadata_cache();
        self.estimate_of(expected, &planned_files(plan, &*footers), before)
    }

    fn estimate_of(
        &self,
        expected: &Expected,
        parquet: &PlannedFiles,
        before: Requests,
    ) -> Estimate {
        let at_a_time = |source: &Arc<dyn ObjectSource>| match source.reading() {
            Reading::Disk => 1,
            Reading::Network(requests) => requests,
        };
        Estimate {
            objects: expected.objects + parquet.files,
            of_objects: expected.bytes + parquet.bytes,
            requests: requests(&self.sources) - before
                + Requests {
                    get: expected.gets + parquet.gets,
                    bytes: expected.network_bytes + parquet.network_bytes,
                    ..Requests::default()
                },
            at_a_time: self.sources.iter().map(at_a_time).max().unwrap_or(1),
        }
    }

    /// Lists the sources if the statement needs them, and binds hidden columns.
    async fn prepare(
        &self,
        state: &mut SessionState,
        ast: &mut SqlStatement,
    ) -> Result<(), Prepare> {
        let found = state
            .resolve_table_references(ast)
            .map_err(Prepare::DataFusion)?;
        let needs = references::needs(ast, &found, &self.schema);
        // What is no log table may be one of Parquet, which is known when the sources are listed.
        let listed = match &needs {
            Ok(needs) => !needs.logs.is_empty() || (needs.catalog && !self.sources.is_empty()),
            Err(_) => !self.sources.is_empty(),
        };
        if listed {
            let archive = self.archive().await.map_err(Prepare::Ours)?;
            let needs = references::needs(ast, &found, &self.schema).map_err(Prepare::Ours)?;
            for name in &needs.logs {
                self.check_present(archive, name).map_err(Prepare::Ours)?;
            }
            if archive.bytes() < BYTES_PER_PARTITION {
                // Handing little work around costs more than doing it, and rows that are equal
                // in an ORDER BY would come in another order each time.
                let options = state.config_mut().options_mut();
                options.execution.target_partitions = 1;
            }
        } else {
            needs.map_err(Prepare::Ours)?;
        }
        windows::bind(ast);
        hidden_columns::bind(ast, &|name| self.schema.visible_columns(name));
        Ok(())
    }

    /// What lies in the sources. They are listed the first time.
    pub async fn archive(&self) -> Result<&Archive, Error> {
        self.archive
            .get_or_try_init(|| async {
                if self.sources.is_empty() {
                    return Err(Error::new(Owner::Usage, "no logs were named").hint(
                        "name a file, a folder, a glob or - after the SQL: loglens query \"SELECT ...\" FOLDER; \
                         or list them as `from` in loglens.toml",
                    ));
                }
                let mut archive = Archive::discover(&self.sources, &self.given, &self.zone).await?;
                self.register_parquet(&mut archive).await;
                self.schema.set_archive(&archive, &self.sources, &self.scan);
                Ok(archive)
            })
            .await
    }

    /// Makes tables of what lies as Parquet. What cannot be one is left out like any object that
    /// nothing recognises.
    async fn register_parquet(&self, archive: &mut Archive) {
        for source in self.sources.iter() {
            self.register_store(&**source, &archive.uncommitted);
        }
        if !archive.uncommitted.is_empty() {
            self.leave_out_local(&archive.uncommitted);
        }
        for table in std::mem::take(&mut archive.parquet) {
            let provider = parquet_table::provider(&self.session.state(), &table).await;
            match provider {
                Ok(provider) => {
                    self.schema.register_parquet(table.clone(), provider);
                    archive.parquet.push(table);
                }
                Err(error) => archive.unrecognised.push(Unrecognised {
                    key: table.folder,
                    reason: format!("Parquet: {}", errors::explain(&error, "").message),
                }),
            }
        }
    }

    /// Lets Parquet be read from a source; the first of a bucket counts, which may have a role of
    /// its own.
    fn register_store(&self, source: &dyn ObjectSource, uncommitted: &Uncommitted) {
        let Some((root, store)) = source.store() else {
            return;
        };
        // What is no URL, such as the ARN of an access point, Parquet cannot be read from.
        if let Ok(url) = ObjectStoreUrl::parse(root.trim_end_matches('/'))
            && self.session.runtime_env().object_store(&url).is_err()
        {
            let store = committed(store, uncommitted);
            self.session.register_object_store(url.as_ref(), store);
        }
    }

    /// Lets files of local folders be passed over that are of no table.
    fn leave_out_local(&self, uncommitted: &Uncommitted) {
        let url = ObjectStoreUrl::local_filesystem();
        if let Ok(store) = self.session.runtime_env().object_store(&url) {
            let store = committed(store, uncommitted);
            self.session.register_object_store(url.as_ref(), store);
        }
    }

    /// What places that are written to are opened by.
    pub(crate) fn writable(&self) -> Result<&Arc<dyn Places>, Error> {
        let places = self.places.as_ref();
        places.ok_or_else(|| Error::new(Owner::Usage, "nothing can be written here"))
    }

    /// The time zone of `event_time`.
    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }

    /// The formats that objects may have.
    pub fn formats(&self) -> &Formats {
        &self.given.formats
    }

    /// What is known of the sources without listing them.
    pub fn listed(&self) -> Option<&Archive> {
        self.archive.get()
    }

    pub(crate) fn named_places(&self) -> String {
        let places: Vec<_> = self.sources.iter().map(|source| source.name()).collect();
        places.join(", ")
    }

    /// The error for sources that hold nothing at all.
    pub fn nothing_found(&self) -> Error {
        Error::new(Owner::Data, format!("{}: no files", self.named_places()))
            .hint("loglens looks for log files in a folder and in all folders below it")
    }

    fn check_present(&self, archive: &Archive, name: &str) -> Result<(), Error> {
        if archive.table(name).is_some() || (name == rejects::REJECTS && !archive.tables.is_empty())
        {
            return Ok(());
        }
        if archive.is_empty() {
            return Err(self.nothing_found());
        }
        let error = Error::new(Owner::Data, format!("{}: no {name}", self.named_places()));
        let present: Vec<_> = archive.present().map(|(name, _)| name).collect();
        if present.is_empty() {
            let first: Vec<_> = archive
                .unrecognised()
                .iter()
                .take(3)
                .map(|object| format!("{} ({})", object.key, object.reason))
                .collect();
            return Err(error.hint(format!(
                "nothing was recognised: {}; --table {name} says what it is",
                first.join(", ")
            )));
        }
        Err(error.hint(format!(
            "there is {}; --table {name} reads everything as that",
            present.join(", ")
        )))
    }
}

/// A store without the files that are of no table.
fn committed(store: Arc<dyn ObjectStore>, uncommitted: &Uncommitted) -> Arc<dyn ObjectStore> {
    match uncommitted.is_empty() {
        true => store,
        false => Arc::new(CommittedFiles {
            store,
            uncommitted: uncommitted.clone(),
        }),
    }
}

enum Prepare {
    Ours(Error),
    DataFusion(datafusion::error::DataFusionError),
}

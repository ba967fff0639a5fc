//! The engine: statements in, batches out.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::SchemaProvider;
use datafusion::common::Span;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement as SqlStatement};
use futures::TryStreamExt;
use loglens_parsers::format::Formats;
use object_store::ObjectStore;
use tokio::sync::OnceCell;

use crate::archive::{Archive, Given, Unrecognised};
use crate::cost::{self, Estimate, Limits, Prices};
use crate::ddl;
use crate::error::{Error, Owner};
use crate::journal::{Journal, Uncommitted};
use crate::ledger::{Expected, Ledger};
use crate::object::{ObjectSource, Reading, Requests};
use crate::overview;
use crate::query::{Output, Query, Receipt, receipt, requests};
use crate::scan::spec::ScanObject;
use crate::session::{self, SessionSpec};
use crate::sql::dialect::AthenaDialect;
use crate::sql::parameters::{self, Values};
use crate::sql::{errors, hidden_columns, references, struct_names, windows};
use crate::tables::committed_files::CommittedFiles;
use crate::tables::log_table::{BYTES_PER_PARTITION, Chosen, LogTable, ScanOptions};
use crate::tables::parquet_table::{self, ParquetTable};
use crate::tables::planned_files::{PlannedFiles, planned_files};
use crate::tables::rejects;
use crate::tables::schema::LogSchema;
use crate::write::statement::{self, Writes};
use crate::write::{Destination, Form, NULL_PARTITION, Places, Target, Written};

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
            mut ast,
            is_of_cost,
        } = statement;
        if is_of_cost || !statement::is_query(&ast) {
            return Err(Error::new(
                Owner::Usage,
                "only a SELECT is asked of what arrives",
            ));
        }
        let explain = |error| errors::explain(&error, &sql);
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

    /// Where the rows go, if the statement writes them; it becomes the query for them.
    async fn destination(&self, ast: &mut SqlStatement) -> Result<Option<Destination>, Error> {
        if statement::is_insert(ast) && !self.sources.is_empty() {
            // Tables of Parquet are known when the sources are listed.
            self.archive().await?;
        }
        let is_folder = |name: &str| self.schema.parquet(name).is_some();
        let Some(writes) = statement::take(ast, is_folder)? else {
            return Ok(None);
        };
        let (target, table) = match writes {
            Writes::Unload(target) => (target, Written::Unnamed),
            Writes::Create {
                table,
                if_not_exists,
                target,
            } => {
                if self.schema.table_exist(&table) {
                    if if_not_exists {
                        *ast = self.parse(NOTHING_WRITTEN)?.remove(0).ast;
                        return Ok(None);
                    }
                    return Err(exists(&table));
                }
                (target, Written::Created(table))
            }
            Writes::Insert { table, columns } => self.filled(table, columns)?,
        };
        let places = self.writable()?;
        let place = &target.place;
        let sink = places.sink(place)?;
        let journal = Journal::new(place, Arc::clone(&sink));
        if matches!(table, Written::Filled { .. }) {
            journal.tidy(&**places).await?;
        } else if !places.is_empty(place).await? {
            journal.clear(&**places).await?;
            if !places.is_empty(place).await? {
                return Err(Error::new(
                    Owner::Usage,
                    format!("{place}: there is something already"),
                )
                .hint(
                    "a table is written where nothing is: name another place, or empty this one",
                ));
            }
        }
        if matches!(table, Written::Created(_)) {
            self.register_store(&*places.source(place)?, &Uncommitted::default());
        }
        Ok(Some(Destination {
            sink,
            target,
            table,
            session: self.session.clone(),
            schema: Arc::clone(&self.schema),
        }))
    }

    /// Where the rows of an INSERT go.
    fn filled(&self, name: String, columns: Vec<String>) -> Result<(Target, Written), Error> {
        let Some((table, schema)) = self.schema.parquet(&name) else {
            return Err(self.schema.unknown_table(&name));
        };
        if !table.is_folder() {
            let error = format!("INSERT INTO {name}: {} is one file", table.folder);
            return Err(
                Error::new(Owner::Query, error).hint("files are added to a table that is a folder")
            );
        }
        let target = Target::plain(Form::Insert, &table.folder, table.partitions);
        let filled = Written::Filled {
            name,
            schema,
            columns,
        };
        Ok((target, filled))
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

    /// Athena's statement for a table, log or Parquet, that lies at `location`. What the sources
    /// hold is looked at if there are any.
    pub async fn ddl(&self, table: &str, location: &str) -> Result<String, Error> {
        let archive = match self.sources.is_empty() {
            true => None,
            false => Some(self.archive().await?),
        };
        if let Some((parquet, schema)) = self.schema.parquet(table) {
            let files = schema.fields().len() - parquet.partitions.len();
            let files = schema.project(&(0..files).collect::<Vec<_>>());
            let files = files.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
            let partitions = self.partition_values(&parquet).await?;
            return ddl::of_parquet(table, &files, &partitions, location);
        }
        let Some(format) = self.given.formats.by_name(table) else {
            return Err(self.schema.unknown_table(table));
        };
        let mut keys = ddl::Keys::default();
        let archived = archive.and_then(|archive| archive.table(table));
        for facts in archived.iter().flat_map(|table| table.facts()) {
            keys.accounts.extend(facts.account.clone());
            keys.regions.extend(facts.region.clone());
        }
        Ok(ddl::of_logs(format, location, &keys))
    }

    /// The values of the columns that partition a table.
    async fn partition_values(&self, table: &ParquetTable) -> Result<Vec<ddl::Values>, Error> {
        let mut all = Vec::new();
        for column in &table.partitions {
            let name = column.replace('"', "\"\"");
            let sql = format!(
                "SELECT DISTINCT \"{name}\" FROM \"{}\" ORDER BY 1",
                table.name
            );
            let mut values = Vec::new();
            for statement in self.parse(&sql)? {
                let query = self.plan(statement).await?;
                let rows: Vec<_> = query
                    .execute()?
                    .try_collect()
                    .await
                    .map_err(|error| query.explain(&error))?;
                for batch in &rows {
                    let texts = cast(batch.column(0), &DataType::Utf8);
                    let texts =
                        texts.map_err(|error| Error::new(Owner::Internal, error.to_string()))?;
                    let texts = texts.as_string::<i32>().iter();
                    values.extend(texts.map(|text| text.unwrap_or(NULL_PARTITION).to_owned()));
                }
            }
            all.push(ddl::Values {
                column: column.clone(),
                values,
            });
        }
        Ok(all)
    }

    /// The rows of objects of a log table, all of its columns, as they are written to a target.
    pub(crate) async fn rows_of(
        &self,
        table: &str,
        objects: Arc<[ScanObject]>,
        target: &Target,
        ledger: &Arc<Ledger>,
    ) -> Result<SendableRecordBatchStream, Error> {
        let sql = format!("SELECT * FROM \"{table}\"");
        let explain = |error| errors::explain(&error, &sql);
        let mut state = self.session.state();
        let bytes = objects.iter().filter_map(|object| object.object.size);
        if bytes.sum::<u64>() < BYTES_PER_PARTITION {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        state.config_mut().set_extension(Arc::clone(ledger));
        state.config_mut().set_extension(Arc::new(Chosen(objects)));
        let ast = self.parse(&sql)?.remove(0).ast;
        let plan = state.statement_to_plan(ast).await.map_err(explain)?;
        let plan = struct_names::simplify(plan).map_err(explain)?;
        let plan = target.sorted(plan)?;
        let plan = state.create_physical_plan(&plan).await.map_err(explain)?;
        execute_stream(plan, state.task_ctx()).map_err(explain)
    }

    /// Refuses to read objects that are more than is allowed.
    pub(crate) fn check_limits(
        &self,
        objects: &[ScanObject],
        before: Requests,
    ) -> Result<(), Error> {
        let ledger = Ledger::default();
        ledger.expect(objects.iter().map(|object| {
            let gets = self.sources[object.source].gets(&object.object);
            (object.object.size, gets)
        }));
        let nothing = PlannedFiles::default();
        let estimate = self.estimate_of(&ledger.expected(), &nothing, before);
        self.limits.check(&estimate, &self.prices)
    }

    /// The objects of a log table that may hold records of the time range.
    pub(crate) async fn objects_in_range(&self, table: &str) -> Result<Vec<ScanObject>, Error> {
        let Some(table) = self.schema.log_table(table) else {
            return Err(self.schema.unknown_table(table));
        };
        let objects = LogTable::in_range(table, &self.session.state()).await;
        objects.map_err(|error| errors::explain(&error, ""))
    }

    /// Requests that all sources made so far.
    pub(crate) fn requests(&self) -> Requests {
        requests(&self.sources)
    }

    /// What reading took since `before`.
    pub(crate) fn receipt(&self, ledger: &Ledger, before: Requests) -> Option<Receipt> {
        receipt(&self.sources, &self.prices, ledger, before)
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

    /// A statement that gives one row for each table that is present: its objects and bytes, and
    /// the accounts, Regions and times of its records; None if there is no table.
    pub async fn overview_sql(&self) -> Result<Option<String>, Error> {
        let archive = self.archive().await?;
        let state = self.session.state();
        let explain = |error| errors::explain(&error, "");
        let mut tables = Vec::new();
        for archived in &archive.tables {
            let Some(table) = self.schema.log_table(&archived.table.format.table) else {
                continue;
            };
            let in_range = table.predicate(&state, &[]).map_err(explain)?;
            let objects = table.objects(&in_range).await.map_err(explain)?.all;
            if !objects.is_empty() || archived.logs.is_empty() {
                let sizes = objects.iter().filter_map(|object| object.object.size);
                let format = &archived.table.format;
                tables.push(overview::of_logs(format, objects.len(), sizes.sum()));
            }
        }
        tables.extend(archive.parquet.iter().map(overview::of_parquet));
        Ok((!tables.is_empty()).then(|| tables.join(" UNION ALL ") + " ORDER BY 1"))
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

/// What a statement answers that left a table as it was.
const NOTHING_WRITTEN: &str = "SELECT 0 AS \"rows\", 0 AS files, 0 AS bytes";

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

fn exists(table: &str) -> Error {
    Error::new(Owner::Query, format!("there is a table {table} already"))
        .hint("name another, or say CREATE TABLE IF NOT EXISTS")
}

enum Prepare {
    Ours(Error),
    DataFusion(datafusion::error::DataFusionError),
}

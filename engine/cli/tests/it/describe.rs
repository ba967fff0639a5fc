//! What the command says of logs, of formats, and of itself: `tables`, `schema`, `formats`, help.

use crate::assert_command_snapshot;
use crate::command::{answer, loglens};

#[test]
fn tables() {
    assert_command_snapshot!(loglens(&["tables", "testdata"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    table                  objects  bytes  records  accounts                                  regions                          first                        last
    ---------------------  -------  -----  -------  ----------------------------------------  -------------------------------  ---------------------------  ---------------------------
    alb_access_logs              4  11512       22  NULL                                      NULL                             2018-07-02T22:23:00.186641Z  2023-04-26T19:53:56.715663Z
    alb_connection_logs          1    573        2  NULL                                      NULL                             2023-10-04T17:05:15.514108Z  2023-10-04T17:05:15.514108Z
    alb_health_check_logs        1    181        2  NULL                                      NULL                             2025-10-31T12:44:58.901409Z  2025-10-31T12:44:59.875678Z
    clb_access_logs              4   1314        7  NULL                                      NULL                             2015-05-13T23:39:43.945958Z  2017-07-31T20:30:57.975041Z
    cloudtrail_logs             12  80131       62  4 different                               es-east-1, eu-west-1, us-east-1  2023-03-29T14:39:10Z         2024-07-15T23:57:12Z
    nlb_access_logs              2    724        2  NULL                                      NULL                             2018-12-20T02:59:40Z         2020-04-01T08:51:42Z
    tgw_flow_logs                1    741        1  123456789012                              us-east-1                        2023-11-14T22:13:20Z         2023-11-14T22:13:20Z
    vpc_flow_logs                8   6073       30  000000000000, 123456789010, 123456789012  ap-southeast-2, us-east-1        2014-12-14T04:06:50Z         2021-03-26T03:28:12Z

    8 rows

    ----- stderr -----
    not recognised: testdata/ORIGINS.md: no known log format
    not recognised: testdata/nginx/access.log: no known log format
    not recognised: testdata/nginx/nginx.toml: no known log format
    "#);
    assert_command_snapshot!(loglens(&["tables", "-o", "csv", "testdata/tgw"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    table,objects,bytes,records,accounts,regions,first,last
    tgw_flow_logs,1,741,1,123456789012,us-east-1,2023-11-14T22:13:20Z,2023-11-14T22:13:20Z

    ----- stderr -----
    "#);
}

#[test]
fn schema() {
    assert_command_snapshot!(loglens(&["schema", "vpc_flow_logs"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    column                      type       unit          since  meaning
    --------------------------  ---------  ------------  -----  -----------------------------------------------------------------------------------
    version                     integer                  2      highest version among the fields of this log
    account_id                  varchar                  2      account that owns the interface; unknown for some that AWS manages
    interface_id                varchar                  2      network interface that recorded the flow
    srcaddr                     varchar                  2      source address; the interface's own for what it sends
    dstaddr                     varchar                  2      destination address; the interface's own for what it receives
    srcport                     integer                  2      source port; 0 for ICMP
    dstport                     integer                  2      destination port; 0 for ICMP
    protocol                    bigint                   2      IANA protocol number: 1 ICMP, 6 TCP, 17 UDP
    packets                     bigint     packets       2      packets in the interval
    bytes                       bigint     bytes         2      bytes in the interval
    start                       bigint     s since 1970  2      when the first packet of the interval was seen
    end                         bigint     s since 1970  2      when the last packet of the interval was seen
    action                      varchar                  2      ACCEPT or REJECT
    log_status                  varchar                  2      OK, NODATA (no traffic) or SKIPDATA (records were lost)
    vpc_id                      varchar                  3      VPC of the interface
    subnet_id                   varchar                  3      subnet of the interface
    instance_id                 varchar                  3      instance the interface is attached to, if it is the account's own
    tcp_flags                   integer                  3      OR of FIN 1, SYN 2, RST 4, SYN-ACK 18; ACK and PSH alone give 0
    type                        varchar                  3      IPv4, IPv6 or EFA
    pkt_srcaddr                 varchar                  3      source address in the packet, past any NAT
    pkt_dstaddr                 varchar                  3      destination address in the packet, past any NAT
    region                      varchar                  4      Region of the interface; where the log does not have it, Region in the object's key
    az_id                       varchar                  4      Availability Zone of the interface
    sublocation_type            varchar                  4      wavelength, outpost or localzone
    sublocation_id              varchar                  4      id of the sublocation
    pkt_src_aws_service         varchar                  5      AWS service that pkt_srcaddr belongs to, such as S3 or AMAZON
    pkt_dst_aws_service         varchar                  5      AWS service that pkt_dstaddr belongs to, such as S3 or AMAZON
    flow_direction              varchar                  5      ingress or egress, as seen by the interface
    traffic_path                integer                  5      way that egress traffic takes, 1 to 8
    ecs_cluster_arn             varchar                  7      ARN of the ECS cluster
    ecs_cluster_name            varchar                  7      name of the ECS cluster
    ecs_container_instance_arn  varchar                  7      ARN of the ECS container instance; none on Fargate
    ecs_container_instance_id   varchar                  7      id of the ECS container instance; none on Fargate
    ecs_container_id            varchar                  7      runtime id of the first container of the task
    ecs_second_container_id     varchar                  7      runtime id of the second container of the task
    ecs_service_name            varchar                  7      name of the ECS service
    ecs_task_definition_arn     varchar                  7      ARN of the ECS task definition
    ecs_task_arn                varchar                  7      ARN of the ECS task
    ecs_task_id                 varchar                  7      id of the ECS task
    reject_reason               varchar                  8      why traffic was rejected: BPA or EC
    resource_id                 varchar                  9      regional NAT gateway that recorded the flow
    encryption_status           integer                  10     0 none, 1 by Nitro, 2 by the application, 3 both
    instance_tag                varchar                  11     value of the chosen instance tag, percent-encoded
    instance_tag_2              varchar                  11     value of the second instance tag, percent-encoded
    interface_tag               varchar                  11     value of the chosen interface tag, percent-encoded
    interface_tag_2             varchar                  11     value of the second interface tag, percent-encoded
    asg_tag                     varchar                  11     value of the chosen Auto Scaling group tag, percent-encoded
    asg_tag_2                   varchar                  11     value of the second Auto Scaling group tag, percent-encoded
    interface_type              varchar                  11     kind of interface, such as nat_gateway or vpc_endpoint
    next_hop_interface_id       varchar                  11     interface the traffic goes to next
    next_hop_subnet_id          varchar                  11     subnet the traffic goes to next
    next_hop_az_id              varchar                  11     Availability Zone the traffic goes to next
    next_hop_vpc_id             varchar                  11     VPC the traffic goes to next
    next_hop_interface_type     varchar                  11     kind of the interface the traffic goes to next
    event_time                  timestamp                       time of the record, UTC: start, end, the first that the log has
    accid                       varchar                         account in the object's key
    day                         varchar                         day in the object's key, yyyy/MM/dd
    date                        date                            day in the object's key, as a date
    hour                        varchar                         hour in the object's key, for hourly partitions
    extra                       varchar                         fields that have no column, as a JSON object
    $path                       varchar                         hidden: key of the object
    $file_size                  bigint     bytes                hidden: size of the object
    $file_modified_time         timestamp                       hidden: last change of the object
    $line                       bigint                          hidden: line of the record in its object, from 1
    $log_group                  varchar                         hidden: log group, of records from CloudWatch Logs
    $log_stream                 varchar                         hidden: log stream in it

    66 rows

    ----- stderr -----
    "#);
}

#[test]
fn schema_by_alias_as_csv() {
    let text = answer(&mut loglens(&[
        "schema",
        "transit_gateway_flow_logs",
        "-o",
        "csv",
    ]));
    assert!(
        text.starts_with("column,type,unit,since,meaning\n"),
        "{text}"
    );
    assert_eq!(
        text,
        answer(&mut loglens(&["schema", "tgw_flow_logs", "-o", "csv"]))
    );
}

#[test]
fn formats() {
    assert_command_snapshot!(loglens(&["formats"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    table                  title                              aliases                                                        columns  documented_at
    ---------------------  ---------------------------------  -------------------------------------------------------------  -------  ----------------------------------------------------------------------------------------------------------
    alb_access_logs        ALB access logs                    alb_access_log, alb_logs, alb_log, alb                         39       https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    alb_connection_logs    ALB connection logs                alb_connection_log, alb_conn_logs, alb_connections             15       https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
    alb_health_check_logs  ALB health check logs              alb_health_check_log, alb_health_logs, alb_health_checks       10       https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-health-check-logs.html
    clb_access_logs        Classic Load Balancer access logs  clb_access_log, clb_logs, elb_logs, elb_access_logs, elb, clb  20       https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
    cloudtrail_logs        CloudTrail events                  cloudtrail_log, cloudtrail, cloudtrail_logs_pp                 37       https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    nlb_access_logs        NLB access logs                    nlb_access_log, nlb_tls_logs, nlb_logs, nlb_log, nlb           24       https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
    tgw_flow_logs          Transit Gateway flow logs          tgw_flow_log, transit_gateway_flow_logs                        36       https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html
    vpc_flow_logs          VPC flow logs                      vpc_flow_log, vpc_flow, vpcflow, flow_logs                     54       https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html

    8 rows

    ----- stderr -----
    "#);
}

#[test]
fn completions() {
    for (name, words) in [
        ("bash", "_loglens()"),
        ("zsh", "#compdef loglens"),
        ("fish", "complete -c loglens"),
    ] {
        let script = answer(&mut loglens(&["completions", name]));
        assert!(script.contains(words), "{name}: {}", &script[..200]);
        assert!(script.contains("memory-limit"), "{name}");
    }
}

#[test]
fn help() {
    assert_command_snapshot!(loglens(&["--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    Ask SQL of AWS network and security logs

    Usage: loglens [OPTIONS] [FROM]...
           loglens <COMMAND>

    Commands:
      query        Answer SQL from logs
      tail         Answer SQL from logs as they arrive: rows as they come, windows as they close
      tables       Show what lies in places: tables, objects, accounts, Regions, times
      schema       Show the columns of a table: types, units, meaning
      formats      Show the log formats that are recognised
      ddl          Print Athena's CREATE EXTERNAL TABLE for logs, or for Parquet that was written
      run          Answer a named query; --list shows them
      convert      Make a table of Parquet from logs, each object once; goes on where it was interrupted
      consume      Read a Kinesis stream and write Parquet, each record once, until it is asked to end
      replay       Try rejected records of consume again: those that fit now become rows, each once
      doctor       Check step by step whether S3 answers, and say what to mend
      generate     Write seeded logs that look real
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Arguments:
      [FROM]...
              Without a command: an SQL shell over these files, folders, globs and s3:// places. \? in
              it shows what it can do

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Logs:
          --last <DURATION>
              Only records of this long until now: 90s, 30m, 1h, 7d, 2w

          --since <TIME>
              Only records from this time on: 2026-01-31, 2026-01-31T10:00, with Z or an offset, or 2h
              (ago)

          --until <TIME>
              Only records before this time

          --tz <ZONE>
              Time zone of event_time and of times without a zone [default: UTC]

          --table <TABLE>
              Read every object as this table

          --format <FILE.toml>
              Read objects of a format of your own too, as described in this file; may be repeated

          --fields <NAMES>
              Field order of records without a header line: "version account-id ..." or "${version} ..."

          --strict
              Fail on the first reject; examines every value

          --max-expansion <TIMES>
              How far an object may expand: inflated bytes for each byte [default: 250]

          --memory-limit <SIZE>
              Memory for sorting, grouping and joining; beyond it they spill to disk: 512MB, 2GiB

          --max-bytes <SIZE>
              Refuse a statement that would read more bytes of objects than this: 10GB, 512MiB

          --max-cost <USD>
              Refuse a statement that would cost more than this at S3, its bytes carried out of AWS

          --threads <N>
              Cores to use [default: all]

          --config <FILE>
              Read this configuration instead of ./loglens.toml or the one in your configuration folder

              [env: LOGLENS_CONFIG=]

    S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --region <REGION>
              Region of requests; a bucket's own is found by itself

          --endpoint-url <URL>
              Ask this server instead of AWS's

          --path-style
              Name the bucket in the path, as most other servers want it

          --anonymous
              Ask without credentials: public buckets

          --requester-pays
              Pay for requests and traffic where the bucket's owner does not

          --fips
              Ask FIPS endpoints

          --dual-stack
              Ask endpoints that have IPv6 too

          --sse-c-key <FILE>
              Read and write objects with the key in this file (SSE-C): 32 bytes, or these in base64

    Cache:
          --cache <DIR>
              Keep fetched objects in this folder: what did not change is not fetched again

          --cache-size <SIZE>
              Bound of the cache; what was not of use for the longest time goes first [default: 10GB]

          --offline
              Answer from the cache alone, listings too, and ask S3 for nothing

    Result:
      -o, --output <OUTPUT>
              Output format [default: table, or what the name of --to says]

              chart, svg and html draw the columns of numbers, each in a panel of its own. With a column
              of times: a line over time, one for each value of the other columns; times without a row
              are 0, or a gap where the number is an average, an extreme or a percentile by its name.
              Otherwise bars, one for each row, in the order of the rows.

              Possible values:
              - table:    Columns aligned for reading; one column per line where the terminal is too
                narrow
              - csv:      Comma-separated values with a header line (RFC 4180); NULL is empty, the empty
                string is ""
              - tsv:      As csv, separated by tabs
              - json:     One JSON array of objects
              - ndjson:   One JSON object per line
              - markdown: A table for GitHub and other Markdown readers
              - arrow:    Arrow IPC stream
              - parquet:  Parquet file, compressed with zstd
              - chart:    Bars in the terminal, or a line over time where the result has a column of
                times
              - svg:      The chart as a picture
              - html:     The chart and the rows as a page that opens offline

          --to <FILE>
              Write the result to a file instead of standard output

          --stats
              Say on standard error what was read, what became of it, and what it took

    ----- stderr -----
    "#);
}

#[test]
fn help_of_query() {
    assert_command_snapshot!(loglens(&["query", "--help"]), @r#"
    success: true
    exit_code: 0
    ----- stdout -----
    Answer SQL from logs

    Usage: loglens query [OPTIONS] [SQL] [FROM]...

    Arguments:
      [SQL] [FROM]...
              The SQL (one or more statements), then the places: files, folders, globs,
              s3://BUCKET/PREFIX, or - for standard input. With --file all are places

    Options:
      -f, --file <FILE.sql>
              Read the SQL from a file

          --param <NAME=VALUE>
              Value of $NAME in the SQL: a whole number, a number, or else text

          --dry-run
              Say what it would read and cost, as EXPLAIN COST does, and do not run it

      -h, --help
              Print help (see a summary with '-h')

    Logs:
          --last <DURATION>
              Only records of this long until now: 90s, 30m, 1h, 7d, 2w

          --since <TIME>
              Only records from this time on: 2026-01-31, 2026-01-31T10:00, with Z or an offset, or 2h
              (ago)

          --until <TIME>
              Only records before this time

          --tz <ZONE>
              Time zone of event_time and of times without a zone [default: UTC]

          --table <TABLE>
              Read every object as this table

          --format <FILE.toml>
              Read objects of a format of your own too, as described in this file; may be repeated

          --fields <NAMES>
              Field order of records without a header line: "version account-id ..." or "${version} ..."

          --strict
              Fail on the first reject; examines every value

          --max-expansion <TIMES>
              How far an object may expand: inflated bytes for each byte [default: 250]

          --memory-limit <SIZE>
              Memory for sorting, grouping and joining; beyond it they spill to disk: 512MB, 2GiB

          --max-bytes <SIZE>
              Refuse a statement that would read more bytes of objects than this: 10GB, 512MiB

          --max-cost <USD>
              Refuse a statement that would cost more than this at S3, its bytes carried out of AWS

          --threads <N>
              Cores to use [default: all]

          --config <FILE>
              Read this configuration instead of ./loglens.toml or the one in your configuration folder

              [env: LOGLENS_CONFIG=]

    S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --region <REGION>
              Region of requests; a bucket's own is found by itself

          --endpoint-url <URL>
              Ask this server instead of AWS's

          --path-style
              Name the bucket in the path, as most other servers want it

          --anonymous
              Ask without credentials: public buckets

          --requester-pays
              Pay for requests and traffic where the bucket's owner does not

          --fips
              Ask FIPS endpoints

          --dual-stack
              Ask endpoints that have IPv6 too

          --sse-c-key <FILE>
              Read and write objects with the key in this file (SSE-C): 32 bytes, or these in base64

    Cache:
          --cache <DIR>
              Keep fetched objects in this folder: what did not change is not fetched again

          --cache-size <SIZE>
              Bound of the cache; what was not of use for the longest time goes first [default: 10GB]

          --offline
              Answer from the cache alone, listings too, and ask S3 for nothing

    Result:
      -o, --output <OUTPUT>
              Output format [default: table, or what the name of --to says]

              chart, svg and html draw the columns of numbers, each in a panel of its own. With a column
              of times: a line over time, one for each value of the other columns; times without a row
              are 0, or a gap where the number is an average, an extreme or a percentile by its name.
              Otherwise bars, one for each row, in the order of the rows.

              Possible values:
              - table:    Columns aligned for reading; one column per line where the terminal is too
                narrow
              - csv:      Comma-separated values with a header line (RFC 4180); NULL is empty, the empty
                string is ""
              - tsv:      As csv, separated by tabs
              - json:     One JSON array of objects
              - ndjson:   One JSON object per line
              - markdown: A table for GitHub and other Markdown readers
              - arrow:    Arrow IPC stream
              - parquet:  Parquet file, compressed with zstd
              - chart:    Bars in the terminal, or a line over time where the result has a column of
                times
              - svg:      The chart as a picture
              - html:     The chart and the rows as a page that opens offline

          --to <FILE>
              Write the result to a file instead of standard output

          --stats
              Say on standard error what was read, what became of it, and what it took

    Examples:
      loglens query "SELECT srcaddr, count(*) AS flows FROM vpc_flow_logs GROUP BY 1 ORDER BY 2 DESC
      LIMIT 10" logs/
      loglens query --last 1h -o csv "SELECT * FROM vpc_flow_logs WHERE action = 'REJECT'"
      'logs/**/*.gz'
      zcat flow.log.gz | loglens query "SELECT sum(bytes) FROM vpc_flow_logs" -
      loglens query "SELECT * FROM rejects" logs/

    Exit codes: 0 answered, 1 data or query error, 2 usage error, 130 interrupted.

    ----- stderr -----
    "#);
}

#[test]
fn no_command() {
    assert_command_snapshot!(loglens(&[]), @r#"
    success: false
    exit_code: 2
    ----- stdout -----

    ----- stderr -----
    Ask SQL of AWS network and security logs

    Usage: loglens [OPTIONS] [FROM]...
           loglens <COMMAND>

    Commands:
      query        Answer SQL from logs
      tail         Answer SQL from logs as they arrive: rows as they come, windows as they close
      tables       Show what lies in places: tables, objects, accounts, Regions, times
      schema       Show the columns of a table: types, units, meaning
      formats      Show the log formats that are recognised
      ddl          Print Athena's CREATE EXTERNAL TABLE for logs, or for Parquet that was written
      run          Answer a named query; --list shows them
      convert      Make a table of Parquet from logs, each object once; goes on where it was interrupted
      consume      Read a Kinesis stream and write Parquet, each record once, until it is asked to end
      replay       Try rejected records of consume again: those that fit now become rows, each once
      doctor       Check step by step whether S3 answers, and say what to mend
      generate     Write seeded logs that look real
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Arguments:
      [FROM]...  Without a command: an SQL shell over these files, folders, globs and s3:// places. \?
                 in it shows what it can do

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version
    "#);
}

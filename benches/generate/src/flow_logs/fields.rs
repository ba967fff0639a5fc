//! The fields of VPC flow logs: their names on the wire and the version that brought each.

use std::fmt;

macro_rules! fields {
    ($($version:literal { $($field:ident = $name:literal,)* })*) => {
        /// A field of a VPC flow log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($($field,)*)* }

        /// In the order of AWS's page: field, name on the wire, version.
        const FIELDS: &[(Field, &str, u8)] = &[$($((Field::$field, $name, $version),)*)*];
    };
}

// https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
// Version 6 is of transit gateway flow logs alone.
fields! {
    2 {
        Version = "version",
        AccountId = "account-id",
        InterfaceId = "interface-id",
        SrcAddr = "srcaddr",
        DstAddr = "dstaddr",
        SrcPort = "srcport",
        DstPort = "dstport",
        Protocol = "protocol",
        Packets = "packets",
        Bytes = "bytes",
        Start = "start",
        End = "end",
        Action = "action",
        LogStatus = "log-status",
    }
    3 {
        VpcId = "vpc-id",
        SubnetId = "subnet-id",
        InstanceId = "instance-id",
        TcpFlags = "tcp-flags",
        Type = "type",
        PktSrcAddr = "pkt-srcaddr",
        PktDstAddr = "pkt-dstaddr",
    }
    4 {
        Region = "region",
        AzId = "az-id",
        SublocationType = "sublocation-type",
        SublocationId = "sublocation-id",
    }
    5 {
        PktSrcAwsService = "pkt-src-aws-service",
        PktDstAwsService = "pkt-dst-aws-service",
        FlowDirection = "flow-direction",
        TrafficPath = "traffic-path",
    }
    7 {
        EcsClusterArn = "ecs-cluster-arn",
        EcsClusterName = "ecs-cluster-name",
        EcsContainerInstanceArn = "ecs-container-instance-arn",
        EcsContainerInstanceId = "ecs-container-instance-id",
        EcsContainerId = "ecs-container-id",
        EcsSecondContainerId = "ecs-second-container-id",
        EcsServiceName = "ecs-service-name",
        EcsTaskDefinitionArn = "ecs-task-definition-arn",
        EcsTaskArn = "ecs-task-arn",
        EcsTaskId = "ecs-task-id",
    }
    8 { RejectReason = "reject-reason", }
    9 { ResourceId = "resource-id", }
    10 { EncryptionStatus = "encryption-status", }
    11 {
        InstanceTag = "instance-tag",
        InstanceTag2 = "instance-tag-2",
        InterfaceTag = "interface-tag",
        InterfaceTag2 = "interface-tag-2",
        AsgTag = "asg-tag",
        AsgTag2 = "asg-tag-2",
        InterfaceType = "interface-type",
        NextHopInterfaceId = "next-hop-interface-id",
        NextHopSubnetId = "next-hop-subnet-id",
        NextHopAzId = "next-hop-az-id",
        NextHopVpcId = "next-hop-vpc-id",
        NextHopInterfaceType = "next-hop-interface-type",
    }
}

const DEFAULT_VERSION: u8 = 2;

/// The names on the wire of every field that a VPC flow log can have, in AWS's order.
pub fn flow_log_fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|&(_, name, _)| name)
}

/// Why a list of fields is not one that a flow log could have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldsError {
    /// No field has this name; [`flow_log_fields`] lists those there are.
    Unknown(String),
    /// A field stands in the list twice.
    Repeated(String),
    /// The list is empty.
    Empty,
}

impl fmt::Display for FieldsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown flow log field '{name}'"),
            Self::Repeated(name) => write!(f, "flow log field '{name}' is given twice"),
            Self::Empty => write!(f, "expected at least one flow log field, got none"),
        }
    }
}

impl std::error::Error for FieldsError {}

/// The fields of one flow log, in its order.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    names: Vec<&'static str>,
    pub(super) fields: Vec<Field>,
    /// The highest version among the fields, which AWS writes as the record's version.
    pub(super) version: u8,
}

impl Fields {
    pub(super) fn parse<S: AsRef<str>>(
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, FieldsError> {
        let mut chosen = Self::none();
        for name in names {
            let name = name.as_ref();
            let Some(&(field, wire_name, version)) = FIELDS.iter().find(|(_, n, _)| *n == name)
            else {
                return Err(FieldsError::Unknown(name.to_owned()));
            };
            if chosen.fields.contains(&field) {
                return Err(FieldsError::Repeated(name.to_owned()));
            }
            chosen.push(field, wire_name, version);
        }
        if chosen.fields.is_empty() {
            return Err(FieldsError::Empty);
        }
        Ok(chosen)
    }

    fn none() -> Self {
        Self {
            names: Vec::new(),
            fields: Vec::new(),
            version: DEFAULT_VERSION,
        }
    }

    fn push(&mut self, field: Field, name: &'static str, version: u8) {
        self.fields.push(field);
        self.names.push(name);
        self.version = self.version.max(version);
    }

    /// The line that begins every object.
    pub(super) fn header(&self) -> String {
        let mut line = self.names.join(" ");
        line.push('\n');
        line
    }
}

impl Default for Fields {
    fn default() -> Self {
        let mut chosen = Self::none();
        for &(field, name, version) in FIELDS {
            if version == DEFAULT_VERSION {
                chosen.push(field, name, version);
            }
        }
        chosen
    }
}

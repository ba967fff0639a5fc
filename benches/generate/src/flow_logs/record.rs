//! A record and its text.

use super::conversation::Endpoint;
use super::fields::{Field, Fields};
use super::network::{Interface, Place, Workload};
use crate::text::{push, push_address, push_decimal};

/// One line of a flow log: what one interface saw in one capture window.
pub(super) struct Record<'a> {
    pub(super) place: &'a Place,
    pub(super) interface: &'a Interface,
    /// Unix seconds.
    pub(super) start: u64,
    /// Unix seconds.
    pub(super) end: u64,
    pub(super) content: Content,
}

/// What `log-status` says, with the traffic if there is any.
pub(super) enum Content {
    Flow(Flow),
    NoData,
    SkipData,
}

/// Packets in one direction.
pub(super) struct Flow {
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) protocol: u8,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) action: Action,
    pub(super) tcp_flags: u8,
    pub(super) direction: Direction,
    pub(super) encryption: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    Reject,
    /// Rejected by VPC Block Public Access.
    RejectPublicAccess,
}

/// As seen from the interface.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Ingress,
    /// With the `traffic-path` that it leaves by.
    Egress(u64),
}

impl Record<'_> {
    /// Appends the record's line.
    pub(super) fn push_line(&self, out: &mut Vec<u8>, fields: &Fields) {
        for &field in &fields.fields {
            match field {
                Field::Version => push_decimal(out, fields.version.into()),
                field => self.push_field(out, field),
            }
            out.push(b' ');
        }
        // The last separator.
        out.pop();
        out.push(b'\n');
    }

    fn push_field(&self, out: &mut Vec<u8>, field: Field) {
        match field {
            Field::AccountId => push(out, &self.place.account),
            Field::InterfaceId => push(out, &self.interface.id),
            Field::Start => push_decimal(out, self.start),
            Field::End => push_decimal(out, self.end),
            Field::LogStatus => push(out, self.content.log_status()),
            Field::VpcId => push(out, &self.interface.vpc),
            Field::SubnetId => push(out, &self.interface.subnet),
            Field::Region => push(out, self.place.region),
            Field::AzId => push(out, &self.interface.zone),
            Field::InterfaceTag => push(out, self.interface.role),
            Field::InterfaceTag2 => push(out, "prod"),
            field => match (&self.content, &self.interface.workload) {
                (Content::Flow(flow), _) if flow.push_field(out, field) => {}
                (_, Workload::Instance(id)) => push_instance(out, field, id, self.interface.role),
                (_, Workload::Task(id)) => self.push_task(out, field, id),
            },
        }
    }

    /// The ECS fields of a task on Fargate, which has no container instance.
    fn push_task(&self, out: &mut Vec<u8>, field: Field, id: &str) {
        let role = self.interface.role.replace("%20", "-");
        match field {
            Field::EcsClusterArn => self.push_arn(out, "cluster/prod"),
            Field::EcsClusterName => push(out, "prod"),
            Field::EcsContainerId => push(out, &format!("{id}-1527056392")),
            Field::EcsServiceName => push(out, &role),
            Field::EcsTaskDefinitionArn => {
                self.push_arn(out, &format!("task-definition/{role}:7"));
            }
            Field::EcsTaskArn => self.push_arn(out, &format!("task/prod/{id}")),
            Field::EcsTaskId => push(out, id),
            _ => push(out, "-"),
        }
    }

    fn push_arn(&self, out: &mut Vec<u8>, resource: &str) {
        push(out, "arn:aws:ecs:");
        push(out, self.place.region);
        push(out, ":");
        push(out, &self.place.account);
        push(out, ":");
        push(out, resource);
    }
}

/// The fields of an EC2 instance. Its interface is none of the special types, and next hops are
/// logged for those alone.
fn push_instance(out: &mut Vec<u8>, field: Field, id: &str, role: &str) {
    match field {
        Field::InstanceId => push(out, id),
        Field::InstanceTag => push(out, role),
        Field::InstanceTag2 => push(out, "prod"),
        Field::AsgTag => {
            push(out, role);
            push(out, "-asg");
        }
        _ => push(out, "-"),
    }
}

impl Content {
    fn log_status(&self) -> &'static str {
        match self {
            Self::Flow(_) => "OK",
            Self::NoData => "NODATA",
            Self::SkipData => "SKIPDATA",
        }
    }
}

impl Flow {
    /// Appends a field of the traffic; false when the field is about something else.
    fn push_field(&self, out: &mut Vec<u8>, field: Field) -> bool {
        match field {
            Field::SrcAddr => push_address(out, self.source.address),
            Field::DstAddr => push_address(out, self.destination.address),
            Field::SrcPort => push_decimal(out, self.source_port.into()),
            Field::DstPort => push_decimal(out, self.destination_port.into()),
            Field::Protocol => push_decimal(out, self.protocol.into()),
            Field::Packets => push_decimal(out, self.packets),
            Field::Bytes => push_decimal(out, self.bytes),
            Field::Action => push(out, self.action.text()),
            Field::TcpFlags => push_decimal(out, self.tcp_flags.into()),
            Field::Type => push(
                out,
                if self.source.address.is_ipv4() {
                    "IPv4"
                } else {
                    "IPv6"
                },
            ),
            Field::PktSrcAddr => push_address(out, self.source.packet_address),
            Field::PktDstAddr => push_address(out, self.destination.packet_address),
            Field::PktSrcAwsService => push(out, self.source.aws_service.unwrap_or("-")),
            Field::PktDstAwsService => push(out, self.destination.aws_service.unwrap_or("-")),
            Field::FlowDirection => push(out, self.direction.text()),
            Field::TrafficPath => match self.direction {
                Direction::Ingress => push(out, "-"),
                Direction::Egress(path) => push_decimal(out, path),
            },
            Field::RejectReason if self.action == Action::RejectPublicAccess => push(out, "BPA"),
            Field::EncryptionStatus => push_decimal(out, self.encryption),
            _ => return false,
        }
        true
    }
}

impl Action {
    fn text(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject | Self::RejectPublicAccess => "REJECT",
        }
    }
}

impl Direction {
    fn text(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress(_) => "egress",
        }
    }
}

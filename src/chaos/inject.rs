//! Does the damage, and undoes it.

use fastrand::Rng;

use super::fault::Fault;
use super::world::World;
use crate::failure::Failure;

mod lines;
mod machine;
mod parts;
mod postgres;
mod redis;

use super::parts::Part;
use machine::Strain;

/// What was done, and what undoes it when it is healed.
#[derive(Debug)]
pub(super) struct Wound {
    pub(super) fault: Fault,
    /// The part that was hurt, if it is one.
    part: Option<Part>,
    strain: Option<Strain>,
    /// What was seen to be wrong already, in words.
    violations: Vec<String>,
}

impl World {
    /// Begins a fault.
    pub(super) async fn hurt(&mut self, fault: Fault, dice: &mut Rng) -> Result<Wound, Failure> {
        let mut wound = Wound { fault, part: None, strain: None, violations: Vec::new() };
        match fault {
            Fault::Part(fault) => parts::hurt(self, fault, &mut wound, dice).await?,
            Fault::Redis(fault) => redis::hurt(self, fault)?,
            Fault::Postgres(fault) => postgres::hurt(self, fault).await?,
            Fault::Line(fault) => lines::hurt(self, fault, dice).await,
            Fault::Machine(fault) => wound.strain = Some(machine::strain(self, fault).await?),
            Fault::Quiet => {}
        }
        Ok(wound)
    }

    /// What a fault does again and again while it lasts.
    pub(super) async fn again(&mut self, wound: &Wound) -> Result<(), Failure> {
        match wound.fault {
            Fault::Part(fault) => parts::again(self, fault),
            Fault::Redis(fault) => redis::again(self, fault),
            Fault::Postgres(fault) => postgres::again(self, fault).await,
            Fault::Line(_) | Fault::Machine(_) | Fault::Quiet => Ok(()),
        }
    }

    /// Ends a fault: from here on, everything has to come right by itself. Returns what was seen to be wrong.
    pub(super) async fn heal(&mut self, wound: Wound) -> Result<Vec<String>, Failure> {
        let Wound { fault, part, strain, violations } = wound;
        strain.map_or(Ok(()), Strain::end)?;
        match fault {
            Fault::Part(fault) => parts::heal(self, fault, part)?,
            Fault::Redis(fault) => redis::heal(self, fault).await?,
            Fault::Postgres(fault) => postgres::heal(self, fault).await?,
            Fault::Line(_) => lines::heal(self),
            Fault::Machine(_) | Fault::Quiet => {}
        }
        self.start_all()?;
        Ok(violations)
    }
}

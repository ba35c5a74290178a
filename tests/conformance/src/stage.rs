//! Where scenarios are played: in a cloud, with the built function, and with somebody taking
//! down how the cloud answered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::Api;
use crate::embedded::Embedded;
use crate::real::{Real, RealProject};
use crate::recorder::Recorder;
use crate::shape::{Key, Shape};
use crate::tenancy::{Control, Tenancy};

/// A kind of cloud.
#[derive(Clone, Debug)]
pub enum Target {
    /// The one that was brought up.
    Real(Box<Real>),
    /// A fresh embedded one for each scenario.
    Embedded,
}

/// What the answers of a cloud looked like, call by call.
pub type Observed = BTreeMap<Key, Shape>;

/// A cloud and the function. Clones are the same stage.
#[derive(Clone, Debug)]
pub struct Stage {
    target: Target,
    binary: PathBuf,
    observed: Arc<Mutex<Observed>>,
}

impl Stage {
    /// A stage in this cloud for the function at `binary`.
    pub fn new(target: Target, binary: PathBuf) -> Self {
        Self {
            target,
            binary,
            observed: Arc::default(),
        }
    }

    /// A project of its own, with nothing in it.
    pub async fn tenancy(&self) -> Tenancy {
        let (control, behind) = match &self.target {
            Target::Real(real) => {
                let project = RealProject::make(real).await;
                (Control::Real(Box::new(project)), real.behind())
            }
            Target::Embedded => {
                let embedded = Embedded::start().await;
                let behind = embedded.behind();
                (Control::Embedded(embedded), behind)
            }
        };
        let (keystone, cinder, [user, password, project]) = match &control {
            Control::Real(real) => (real.keystone(), real.cinder(), real.login()),
            Control::Embedded(embedded) => {
                (embedded.keystone(), embedded.cinder(), embedded.login())
            }
        };
        let (token, _) = Api::log_in(&keystone, &user, &password, &project).await;
        Tenancy {
            api: Api::new(cinder, token),
            recorder: Recorder::start(behind).await.expect("a loopback port"),
            control,
            binary: self.binary.clone(),
            missing: Mutex::default(),
        }
    }

    /// Takes down how the cloud answered in a tenancy.
    pub fn take_down(&self, tenancy: &Tenancy) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        for exchange in tenancy.exchanges() {
            observed
                .entry(Key::of(&exchange))
                .or_default()
                .add(&exchange);
        }
    }

    /// What was taken down so far.
    pub fn observed(&self) -> Observed {
        self.observed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

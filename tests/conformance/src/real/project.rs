//! A project made for one scenario in the real cloud, and what an administrator can do there.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use rand::RngExt;
use serde_json::{Value, json};
use simcloud::{AccessRule, Behaviour, Role};
use tokio::time::{Instant, sleep};

use super::Real;
use crate::api::Api;
use crate::tenancy::{Env, Fate, Log, Login, NewVolume, Part};

/// Of users that are thrown away with their cloud.
const PASSWORD: &str = "not-a-secret-password";

/// A project with one user, and orders to the storage for its volumes.
pub(crate) struct RealProject {
    cloud: Real,
    /// Keystone, as its administrator.
    keystone: Api,
    /// Cinder in this project, as an administrator.
    admin: Api,
    id: String,
    /// Of the project, and of its user.
    name: String,
    user: String,
    role: Role,
    roles: Value,
    credentials: usize,
    /// Id, name and secret.
    credential: [String; 3],
    /// Orders to the storage, taken back at the end: it may be hanging on one.
    ordered: std::sync::Mutex<Vec<PathBuf>>,
}

impl RealProject {
    /// Makes a project with one user, who is a member.
    pub(crate) async fn make(cloud: &Real) -> Self {
        let (token, _) =
            Api::log_in(&cloud.keystone, "admin", &cloud.admin_password, "admin").await;
        let keystone = Api::new(&cloud.keystone, &token);
        let name = format!("live-{:016x}", rand::rng().random::<u64>());
        let made = |answer: Value, kind: &str| {
            let id = answer[kind]["id"].as_str();
            id.unwrap_or_else(|| panic!("{kind}: {answer}")).to_owned()
        };
        let body = json!({ "project": { "name": name, "domain_id": "default" } });
        let id = made(
            keystone.call(Method::POST, "/projects", Some(body)).await,
            "project",
        );
        let body = json!({ "user": {
            "name": name, "password": PASSWORD, "domain_id": "default" } });
        let user = made(
            keystone.call(Method::POST, "/users", Some(body)).await,
            "user",
        );
        let administrator = keystone.call(Method::GET, "/users?name=admin", None).await;
        let administrator = administrator["users"][0]["id"]
            .as_str()
            .expect("there is an administrator")
            .to_owned();
        let roles = keystone.call(Method::GET, "/roles", None).await;
        let mut project = Self {
            cloud: cloud.clone(),
            keystone,
            admin: Api::new("", ""),
            id,
            name,
            user,
            role: Role::Member,
            roles,
            credentials: 0,
            credential: [String::new(), String::new(), String::new()],
            ordered: Default::default(),
        };
        project
            .grant(Method::PUT, &administrator, Role::Admin)
            .await;
        let (token, _) = Api::log_in(
            &cloud.keystone,
            "admin",
            &cloud.admin_password,
            &project.name,
        )
        .await;
        project.admin = Api::new(project.cinder(), token);
        project
            .grant(Method::PUT, &project.user, Role::Member)
            .await;
        project.set_access_rules(None).await;
        project
    }

    /// The project's id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Cinder with the project's id, past the recorder.
    pub(crate) fn cinder(&self) -> String {
        format!("{}/v3/{}", self.cloud.cinder, self.id)
    }

    pub(crate) fn keystone(&self) -> String {
        self.cloud.keystone.clone()
    }

    /// User, password and project.
    pub(crate) fn login(&self) -> [String; 3] {
        [self.name.clone(), PASSWORD.into(), self.name.clone()]
    }

    async fn grant(&self, method: Method, user: &str, role: Role) {
        let name = match role {
            Role::Reader => "reader",
            Role::Member => "member",
            Role::Admin => "admin",
        };
        let roles = self.roles["roles"].as_array().into_iter().flatten();
        let role = roles
            .filter(|role| role["name"] == name)
            .find_map(|role| role["id"].as_str())
            .expect("Keystone has the usual roles");
        let path = format!("/projects/{}/users/{user}/roles/{role}", self.id);
        self.keystone.call(method, &path, None).await;
    }

    pub(crate) async fn set_role(&mut self, role: Role) {
        self.grant(Method::PUT, &self.user, role).await;
        if role != self.role {
            self.grant(Method::DELETE, &self.user, self.role).await;
            self.role = role;
        }
        // A role that is taken away ends the credentials made with it.
        self.set_access_rules(None).await;
    }

    pub(crate) async fn set_access_rules(&mut self, rules: Option<&[AccessRule]>) {
        // Only its owner can make an application credential.
        let (token, _) = Api::log_in(&self.cloud.keystone, &self.name, PASSWORD, &self.name).await;
        self.credentials += 1;
        let mut body = json!({ "name": format!("live-{}", self.credentials) });
        if let Some(rules) = rules {
            body["access_rules"] = rules
                .iter()
                .map(|rule| {
                    json!({ "service": rule.service, "method": rule.method, "path": rule.path })
                })
                .collect();
        }
        let path = format!("/users/{}/application_credentials", self.user);
        let made = Api::new(&self.cloud.keystone, token)
            .call(
                Method::POST,
                &path,
                Some(json!({ "application_credential": body })),
            )
            .await;
        let made = &made["application_credential"];
        self.credential =
            ["id", "name", "secret"].map(|field| made[field].as_str().unwrap_or_default().into());
    }

    pub(crate) fn env(&self, login: Login) -> Env {
        let [id, name, secret] = self.credential.clone();
        let mut env = vec![("OS_REGION_NAME", self.cloud.region.clone())];
        match login {
            Login::Credential => env.extend([
                ("OS_AUTH_TYPE", "v3applicationcredential".into()),
                ("OS_APPLICATION_CREDENTIAL_ID", id),
                ("OS_APPLICATION_CREDENTIAL_SECRET", secret),
            ]),
            Login::CredentialByName => env.extend([
                ("OS_AUTH_TYPE", "v3applicationcredential".into()),
                ("OS_APPLICATION_CREDENTIAL_NAME", name),
                ("OS_APPLICATION_CREDENTIAL_SECRET", secret),
                ("OS_USERNAME", self.name.clone()),
                ("OS_USER_DOMAIN_NAME", "Default".into()),
            ]),
            Login::Password => env.extend([
                ("OS_AUTH_TYPE", "v3password".into()),
                ("OS_USERNAME", self.name.clone()),
                ("OS_USER_DOMAIN_NAME", "Default".into()),
                ("OS_PASSWORD", PASSWORD.into()),
                ("OS_PROJECT_NAME", self.name.clone()),
                ("OS_PROJECT_DOMAIN_NAME", "Default".into()),
            ]),
        }
        env.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    pub(crate) async fn add_volume(&self, api: &Api, volume: &NewVolume) -> String {
        let shared = volume.servers.len() > 1;
        let body = json!({ "volume": {
            "size": 1, "name": volume.name, "metadata": volume.metadata,
            "volume_type": if shared { "shared" } else { "plain" } } });
        let made = api.call(Method::POST, "/volumes", Some(body)).await;
        let id = made["volume"]["id"].as_str().expect("an id").to_owned();
        api.wait_for_volume(&id, "available").await;
        // What Nova does when it attaches a volume.
        for (number, server) in volume.servers.iter().enumerate() {
            let device = format!("/dev/vd{}", char::from(b'b' + number as u8));
            let path = format!("/volumes/{id}/action");
            api.call(Method::POST, &path, Some(json!({ "os-reserve": {} })))
                .await;
            let attach = json!({ "os-attach": {
                "instance_uuid": server, "mountpoint": device, "mode": "rw" } });
            api.call(Method::POST, &path, Some(attach)).await;
            api.wait_for_volume(&id, "in-use").await;
        }
        id
    }

    pub(crate) fn storage(&self, volume: &str, behaviour: &[Behaviour]) {
        let orders: Vec<Value> = behaviour.iter().map(|one| order(*one)).collect();
        let file = self.cloud.behaviour.join(format!("{volume}.json"));
        // Renamed into place, since the storage may look at any moment.
        let new = file.with_extension("new");
        fs::write(&new, json!(orders).to_string())
            .and_then(|()| fs::rename(&new, &file))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut ordered = self.ordered.lock().expect("nobody panics holding it");
        ordered.push(file);
    }

    pub(crate) async fn set_snapshot_status(&self, id: &str, status: &str) {
        let body = json!({ "os-reset_status": { "status": status } });
        let path = format!("/snapshots/{id}/action");
        self.admin.call(Method::POST, &path, Some(body)).await;
    }

    pub(crate) fn befall(&self, part: Part, fate: Fate) {
        let name = match part {
            Part::Volume => "cinder-volume",
            Part::Scheduler => "cinder-scheduler",
            Part::MessageQueue => "rabbitmq",
            Part::Keystone => "keystone",
        };
        let deed = match fate {
            Fate::Killed => "kill",
            Fate::Stopped => "stop",
            Fate::GoesOn => "continue",
            Fate::StartedAgain => "start",
        };
        self.cloud.service(deed, name);
    }

    /// Waits until Cinder says itself that its scheduler and its storage are up or down.
    pub(crate) async fn wait_for_services(&self, up: bool) {
        let give_up = Instant::now() + Duration::from_secs(90);
        loop {
            // Without its message queue Cinder cannot even say this.
            let (status, told) = self.admin.send(Method::GET, "/os-services", None).await;
            let services = told["services"].as_array().into_iter().flatten();
            let all_up = services.clone().all(|one| one["state"] == "up");
            if status == 200 && all_up == up {
                return;
            }
            assert!(Instant::now() < give_up, "not all {up}: {status} {told}");
            sleep(Duration::from_millis(500)).await;
        }
    }

    pub(crate) fn service_down_time(&self) -> Duration {
        self.cloud.service_down_time()
    }

    pub(crate) async fn backdate_snapshot(&self, id: &str, minutes: u32) {
        let sql = format!(
            "UPDATE snapshots SET created_at = created_at - INTERVAL {minutes} MINUTE \
             WHERE id = '{id}'"
        );
        let told = self.cloud.database().run(&sql).await;
        told.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) async fn set_quota(&self, what: &str, most: u32) {
        let body = json!({ "quota_set": { what: most } });
        let path = format!("/os-quota-sets/{}", self.id);
        self.admin.call(Method::PUT, &path, Some(body)).await;
    }

    pub(crate) fn log_mentions(&self, log: Log, run_id: &str) -> usize {
        let name = match log {
            Log::Api => "api",
            Log::Volume => "volume",
        };
        let path = self.cloud.logs[name].as_str().expect("the path of a log");
        let text = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.contains(run_id)).count()
    }

    pub(crate) fn page_size(&self) -> usize {
        self.cloud.page_size
    }
}

impl Drop for RealProject {
    fn drop(&mut self) {
        for file in self.ordered.get_mut().into_iter().flatten() {
            // It may have been ordered twice.
            let _ = fs::remove_file(file);
        }
    }
}

fn order(behaviour: Behaviour) -> Value {
    match behaviour {
        Behaviour::CreateSlowly(by) => {
            json!({ "behaviour": "create_slowly", "seconds": by.as_secs_f64() })
        }
        Behaviour::DeleteSlowly(by) => {
            json!({ "behaviour": "delete_slowly", "seconds": by.as_secs_f64() })
        }
        Behaviour::CreateFails => json!({ "behaviour": "create_fails" }),
        Behaviour::CreateHangs => json!({ "behaviour": "create_hangs" }),
        Behaviour::DeleteFails => json!({ "behaviour": "delete_fails" }),
        Behaviour::DeleteBusy => json!({ "behaviour": "delete_busy" }),
        Behaviour::DeleteHangs => json!({ "behaviour": "delete_hangs" }),
        Behaviour::VolumeSlowly(by) => {
            json!({ "behaviour": "volume_slowly", "seconds": by.as_secs_f64() })
        }
        Behaviour::VolumeFails => json!({ "behaviour": "volume_fails" }),
        Behaviour::VolumeHangs => json!({ "behaviour": "volume_hangs" }),
    }
}

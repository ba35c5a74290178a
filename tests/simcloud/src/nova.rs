//! The little of Nova that is asked for: a server's name.

use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::keystone;
use crate::route::Route;
use crate::state::State;

pub(crate) fn answer(state: &mut State, call: &Call) -> Answer {
    if let Err(refusal) = keystone::admit(state, call, "compute") {
        return refusal;
    }
    if call.target.route != Route::GetServer {
        return answer::no_such_path();
    }
    let id = call.target.segment(1);
    match state.servers.get(id) {
        Some(name) => {
            let server = json!({ "id": id, "name": name, "status": "ACTIVE", "metadata": {} });
            answer::json(200, json!({ "server": server }).to_string())
        }
        None => answer::fault(404, &format!("Instance {id} could not be found.")),
    }
}

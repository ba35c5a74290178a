//! Lambda around a process: environment, invocations, complete logs, failures of every kind.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use simcloud::lambda::{Deadline, Function, FunctionSpec};

const MINUTE: Deadline = Deadline::After(Duration::from_secs(60));

fn puppet() -> FunctionSpec {
    FunctionSpec::new(env!("CARGO_BIN_EXE_puppet-function"))
}

async fn start(spec: FunctionSpec) -> Function {
    Function::start(spec).await.expect("a process")
}

#[tokio::test]
async fn a_warm_process_answers_one_event_after_the_other() {
    let mut function = start(puppet()).await;
    let first = function.invoke(json!({ "n": 1 }), MINUTE).await;
    let pid = function.pid();
    let second = function.invoke(json!({ "n": 2 }), MINUTE).await;
    assert_eq!(first.answer()["event"]["n"], 1);
    assert_eq!(second.answer()["event"]["n"], 2);
    assert_ne!(first.request_id, second.request_id);
    assert_eq!(first.request_id.len(), 36);
    assert_eq!(
        (first.log, second.log),
        (vec!["cold start".to_owned()], vec![])
    );
    assert_eq!((function.pid(), function.exited()), (pid, None));
    assert!(!first.deadline_missed);
}

#[tokio::test]
async fn only_the_given_environment_is_there() {
    let spec = FunctionSpec {
        log_format: Some("JSON".into()),
        ..puppet()
    };
    let mut function = start(spec.env([("OS_AUTH_URL", "http://cloud.example")])).await;
    let answer = function.invoke(json!({}), MINUTE).await;
    let names = answer.answer()["environment"]
        .as_array()
        .expect("a list")
        .clone();
    let mut names: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_RUNTIME_API",
        "OS_AUTH_URL",
        "PATH",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn no_line_is_lost_and_none_comes_with_another_invocation() {
    let mut function = start(puppet()).await;
    for round in 0..20 {
        let event = json!({ "lines": 500, "stderr": "panicked", "after": "after the answer" });
        let invocation = function.invoke(event, MINUTE).await;
        let own = invocation
            .log
            .iter()
            .filter(|line| line.contains(&invocation.request_id));
        let own: Vec<&String> = own.collect();
        assert_eq!(own.len(), 500, "round {round}");
        assert!(own[499].starts_with("line 499"));
        let others = invocation.log.len() - own.len();
        assert_eq!(others, if round == 0 { 3 } else { 2 }, "round {round}");
        assert!(invocation.log.contains(&"panicked".to_owned()));
        assert!(!invocation.stdout.contains(&"panicked".to_owned()));
        assert_eq!(
            invocation.stdout.last().map(String::as_str),
            Some("after the answer")
        );
    }
}

#[tokio::test]
async fn a_line_without_its_end_belongs_to_the_invocation_that_began_it() {
    let mut function = start(puppet()).await;
    let first = function
        .invoke(json!({ "unfinished": "half a" }), MINUTE)
        .await;
    let second = function
        .invoke(json!({ "unfinished": "line" }), MINUTE)
        .await;
    assert_eq!(first.stdout, ["cold start", "half a"]);
    assert_eq!(second.stdout, ["line"]);
}

#[tokio::test]
async fn errors_keep_their_type_and_payloads_need_not_be_json() {
    let mut function = start(puppet()).await;
    let invocation = function
        .invoke(json!({ "fail": "InvalidEvent" }), MINUTE)
        .await;
    let failure = invocation.failure();
    assert_eq!(failure.error_type, "InvalidEvent");
    assert_eq!(failure.error_message, "as told");
    let raw = function
        .invoke_raw(Bytes::from_static(b"{no json"), MINUTE)
        .await;
    assert_eq!(raw.failure().error_type, "NoJson");
    assert!(function.invoke(json!({}), MINUTE).await.result.is_ok());
}

#[tokio::test]
async fn an_exit_is_reported_with_what_was_printed_before() {
    let mut function = start(puppet()).await;
    let invocation = function
        .invoke(json!({ "lines": 100, "exit": 7 }), MINUTE)
        .await;
    let failure = invocation.failure();
    assert_eq!(failure.error_type, "Runtime.ExitError");
    assert!(
        failure.error_message.contains("exit status: 7"),
        "{failure:?}"
    );
    assert_eq!(invocation.log.len(), 101);
    assert_eq!(function.exited().and_then(|status| status.code()), Some(7));
    let again = function.invoke(json!({}), MINUTE).await;
    assert_eq!(again.failure().error_type, "Runtime.ExitError");
}

#[tokio::test]
async fn a_process_that_does_not_start_is_a_failure_with_its_words() {
    let mut function = start(puppet().env([("PUPPET_EXITS_AT_ONCE", "1")])).await;
    let invocation = function.invoke(json!({}), MINUTE).await;
    assert_eq!(invocation.failure().error_type, "Runtime.ExitError");
    assert_eq!(invocation.log, ["this puppet does not even start"]);
    assert!(
        Function::start(FunctionSpec::new("/nowhere/at/all"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_late_answer_is_taken_and_called_late() {
    let mut function = start(puppet()).await;
    let deadline = Deadline::After(Duration::from_millis(200));
    let late = function.invoke(json!({ "wait": 600 }), deadline).await;
    assert!(late.result.is_ok() && late.deadline_missed);
    assert!(late.elapsed >= Duration::from_millis(600));
    let in_time = function.invoke(json!({}), MINUTE).await;
    assert!(!in_time.deadline_missed);
}

#[tokio::test]
async fn a_silent_function_is_killed_when_patience_ends() {
    let spec = FunctionSpec {
        patience: Duration::from_secs(5),
        ..puppet()
    };
    let mut function = start(spec).await;
    function.ready().await.expect("a poll");
    let event = json!({ "lines": 3, "wait": 600_000 });
    let silent = function
        .invoke(event, Deadline::After(Duration::from_millis(100)))
        .await;
    assert_eq!(silent.failure().error_type, "Sandbox.Timedout");
    assert!(silent.deadline_missed);
    assert_eq!(silent.log.len(), 4);
    assert!(function.exited().is_some());
}

#[tokio::test]
async fn a_raw_deadline_reaches_the_function_as_it_is() {
    let mut function = start(puppet()).await;
    let invocation = function.invoke(json!({}), Deadline::Millis(600_000)).await;
    assert_eq!(invocation.answer()["deadline"], "600000");
    assert!(!invocation.deadline_missed);
}

#[tokio::test]
async fn memory_and_processor_time_are_told_while_it_runs() {
    let mut function = start(puppet()).await;
    function.invoke(json!({ "lines": 1000 }), MINUTE).await;
    let memory = function.peak_memory().expect("a figure");
    assert!((100_000..500_000_000).contains(&memory), "{memory}");
    assert!(function.cpu_time().is_some());
    let pid = function.pid().expect("an id");
    assert_eq!(function.stop().await, Vec::<String>::new());
    assert!(!std::path::Path::new(&format!("/proc/{pid}/stat")).exists());
}

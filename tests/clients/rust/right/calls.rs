//! Calls that are right, in every way that inputs and outputs can be used.
#![deny(warnings)]

#[path = "../flows/mod.rs"]
mod flows;

use std::error::Error;

use flows::media_ladder::{
    Budget, Codec, Contact, Crop, Inputs, InputsRequired, Limit, LimitWord, Mode, Node, NodeRequired, Outputs,
    Priority, Rung, RungRequired,
};
use flows::{gate, greet, media_ladder};
use pop_sdk::api::Rerun;
use pop_sdk::client::typed::{Place, SubmitError, SubmitOptions, WaitError};

fn required(title: &str) -> InputsRequired {
    InputsRequired { source: "https://x/y.mov".into(), title: title.into() }
}

fn node(name: &str) -> Node {
    NodeRequired { name: name.into(), all: Vec::new() }.into()
}

async fn ladder(url: &str) -> Result<String, Box<dyn Error>> {
    let client = media_ladder::Client::connect(url)?;
    client.submit(required("least").into()).await?;
    client.submit(Inputs { loud: Some(true), ..required("some").into() }).await?;
    let inputs = Inputs {
        source: "https://x/y.mov".into(),
        title: "most".into(),
        rungs: Some(vec![
            RungRequired { height: 720, type_: Codec::H264 }.into(),
            Rung { height: 1080, type_: Codec::H265, bitrate: Some(3_000_000) },
        ]),
        mode: Some(Mode::Best),
        priority: Some(Priority::N3),
        labels: Some([("team".to_owned(), "video".to_owned())].into()),
        token: Some("secret".to_owned().into()),
        limit: Some(Limit::LimitWord(LimitWord::None)),
        notify: Some(Contact { class: "ops".into(), mail: None }),
        budget: Some(Budget::Int(8_000_000)),
        crop: Some(Crop { left: 0, top: 10 }),
        max_wait: Some("5m".into()),
        tree: Some(Node { all: vec![node("b")], left: Some(Box::new(node("c"))), ..node("a") }),
        loud: Some(true),
    };
    let options = SubmitOptions { idempotency_key: Some("k".into()), customer: Some("acme".into()) };
    let run: media_ladder::Run = client.submit_with(inputs, options).await?;
    let _events = run.watch();
    let place: Option<Place> = run.place("plan.0");
    let outputs: Outputs = run.wait().await?;
    let heights: Vec<i64> = outputs.rungs.iter().map(|rung| rung.height).collect();
    let contact = outputs.contact.map_or("nobody".to_owned(), |contact| contact.class);
    Ok(format!("{} {heights:?} {contact} {place:?} {:?}", outputs.first, outputs.shout))
}

async fn others(url: &str) -> Result<usize, Box<dyn Error>> {
    let hello = greet::Client::connect(url)?.submit(greet::Inputs::default()).await?;
    let outputs = hello.wait().await?;
    let client = gate::Client::connect(url)?;
    let run = match client.submit(gate::InputsRequired { file: "/tmp/x".into() }.into()).await {
        Err(SubmitError::StaleClient(stale)) => return Ok(stale.fields().len() + stale.changes.len()),
        other => other?,
    };
    match run.wait().await {
        Err(WaitError::Failed { failure, place }) => println!("{} {place:?}", failure.message),
        Err(WaitError::Cancelled) => drop(run.cancel().await?),
        other => println!("{}", other?.found),
    }
    for what in [Rerun::Continue, Rerun::All, Rerun::Operations(vec!["look".into()])] {
        run.rerun(what).await?;
    }
    assert_eq!(outputs.text, greet::Text::Hello);
    Ok(0)
}

fn main() {
    let _ = (ladder, others);
}

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, height: u32 = 720) -> String {
        let encode = Encode { source, height, duration: 1.0 };
        encode.file
    }
}

fn submit() {
    let _ = flow::compile().agenda(&flow::Inputs { source: 3, height: None });
    let _ = flow::compile().agenda(&flow::Inputs { height: Some(4) });
    let _ = flow::compile().agenda(&flow::Inputs { source: "a".into(), hight: Some(4) });
}

fn main() {}

pop_sdk::include_workflow!("../flows/ladder.pop.toml");

fn main() {
    let _ = abr_ladder::Inputs { source: 3, codec: abr_ladder::Codec::H266, key: None, ladder: None, n2_pass: true };
    let _ = abr_ladder::Inputs { sorce: "u".into(), codec: abr_ladder::Codec::H265, key: None, ladder: None, n2_pass: true };
}

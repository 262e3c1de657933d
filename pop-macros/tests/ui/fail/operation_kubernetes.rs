use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation(
    "a.b",
    output = Done,
    image = "registry.example.com/a:1",
    stdin = "x",
    kubernetes = {
        nodeSelector: { "disk": "ssd" },
        labels: { "team name": "a" },
        volumes: [{ name: "a", mount_path: "/pop", claim: "a" }, { name: "b", mount_path: "/b" }],
    },
    secrets = { TOKEN: "registry" },
    idempotent = 1,
)]
#[derive(JsonSchema)]
pub struct A {
    pub url: String,
}

#[operation("c.d", output = Done, command = ["c"], kubernetes = { gpu: 1 })]
#[derive(JsonSchema)]
pub struct C {
    pub url: String,
}

#[operation("e.f", output = Done, kubernetes = { gpu: count() })]
#[derive(JsonSchema)]
pub struct E {
    pub url: String,
}

fn main() {}

"""One graph in each language: `n` operations, each with a text and a number; each takes the text of the one before it
(chain) or of the first one (wide). What an operation would do when it runs does not matter here."""


def upstream(shape, i):
    if i == 0:
        return None
    return i - 1 if shape == "chain" else 0


def pop(shape, n):
    yield '[workflow]\nname = "bench"\n'
    for i in range(n):
        up = upstream(shape, i)
        text = "source" if up is None else f"${{step{up}.value}}-{i}"
        yield f"""
[operations.step{i}]
uses = "pop.transform"
with = {{ value = {{ value = "{text}", height = {i} }} }}
"""


def miniwdl(shape, n):
    yield """version 1.0

task step {
  input {
    String value
    Int height
  }
  command { echo "~{value} ~{height}" }
  output { String out = read_string(stdout()) }
}

workflow bench {
"""
    for i in range(n):
        up = upstream(shape, i)
        text = '"source"' if up is None else f'step{up}.out + "-{i}"'
        yield f"  call step as step{i} {{ input: value = {text}, height = {i} }}\n"
    yield "}\n"


def hera(shape, n):
    yield """from hera.workflows import DAG, Container, Parameter, Task, Workflow
from hera.workflows.models import ValueFrom

with Workflow(generate_name="bench-", entrypoint="all") as workflow:
    step = Container(
        name="step",
        image="busybox",
        command=["sh", "-c", "echo {{inputs.parameters.value}} > /tmp/out"],
        inputs=[Parameter(name="value"), Parameter(name="height")],
        outputs=[Parameter(name="out", value_from=ValueFrom(path="/tmp/out"))],
    )
    with DAG(name="all"):
"""
    for i in range(n):
        up = upstream(shape, i)
        text = '"source"' if up is None else f'step{up}.get_parameter("out")'
        yield f'        step{i} = Task(name="step{i}", template=step, arguments={{"value": {text}, "height": {i}}})\n'
        if up is not None:
            yield f"        step{up} >> step{i}\n"
    yield """
if __name__ == "__main__":
    print(workflow.to_yaml())
"""


def kfp(shape, n):
    yield """from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def step(value: str, height: int) -> str:
    return f"{value} {height}"


@dsl.pipeline(name="bench")
def bench():
"""
    for i in range(n):
        up = upstream(shape, i)
        text = '"source"' if up is None else f"step{up}.output"
        yield f"    step{i} = step(value={text}, height={i})\n"
    yield """

if __name__ == "__main__":
    compiler.Compiler().compile(bench, __file__ + ".yaml")
"""


ENDINGS = {"pop": ".pop.toml", "miniwdl": ".wdl", "hera": ".py", "kfp": ".py"}
GRAPHS = {"pop": pop, "miniwdl": miniwdl, "hera": hera, "kfp": kfp}

// What a user does with the types that openapi-typescript makes of the document: node use.js <url> <key> <model>
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Order = components["schemas"]["Order"];
type Task = components["schemas"]["Task"];

declare const process: { argv: string[] };

const [, , baseUrl = "", key = "", model = ""] = process.argv;
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function check(fits: boolean, what: string): asserts fits {
  if (!fits) throw new Error(what);
}

async function ended(id: string): Promise<Task> {
  for (;;) {
    const { data, error } = await api.GET("/v1/tasks/{task_id}", { params: { path: { task_id: id } } });
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    if (data.status !== "queued" && data.status !== "running") return data;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function bytesAt(url: string): Promise<number> {
  const answer = await fetch(url);
  check(answer.ok, `${url} answered ${answer.status}`);
  return (await answer.arrayBuffer()).byteLength;
}

const order: Order = { model, input: { prompt: "a red fox at dawn" } };
const submitted = await api.POST("/v1/tasks", { body: order, params: { header: { Prefer: "wait=20" } } });
check(submitted.data !== undefined, `not submitted: ${submitted.error?.detail}`);

const task = await ended(submitted.data.id);
check(task.status === "succeeded", `${task.status}: ${task.error?.message}`);
const [output] = task.outputs;
check(output !== undefined, "there is no output");
check((await bytesAt(output.url)) === output.bytes, "the url of the output gives other bytes");

const content = await api.GET("/v1/assets/{asset_id}/content", {
  params: { path: { asset_id: output.id } },
  parseAs: "arrayBuffer",
});
check(content.data?.byteLength === output.bytes, "the content of the asset has another size");

const uploaded = await api.POST("/v1/uploads", {
  body: { file: "a few words" },
  bodySerializer: (body) => {
    const form = new FormData();
    form.append("file", new Blob([body.file]), "words.txt");
    return form;
  },
});
check(uploaded.data?.bytes === "a few words".length, `not uploaded: ${uploaded.error?.detail}`);

const refused = await api.POST("/v1/tasks", { body: { model: "nobody/nothing", input: {} } });
check(refused.error?.code === "unknown_model", "a model that is not there was taken");

const listed = await api.GET("/v1/tasks", { params: { query: { status: ["succeeded"], limit: 1 } } });
check(listed.data?.data.length === 1, `not listed: ${listed.error?.detail}`);
console.log(`${task.id} ${output.media_type} ${output.bytes} bytes at ${output.url}`);

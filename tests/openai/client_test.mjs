// The official client calls language models through a server of Reeve that tests/openai/check has
// started: REEVE_URL, REEVE_TOKEN, and the upstream's address goes to the file UPSTREAM_FILE before
// the server starts.

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import OpenAI from "openai";

import { Upstream } from "./upstream.mjs";

const upstream = new Upstream();
const question = [{ role: "user", content: "how are you" }];
let url, token, client;

async function eventually(what, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(50)) {
    if (await what()) return;
  }
  assert.fail(`not within ${seconds} s: ${what}`);
}

async function api(path, init = {}) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return fetch(url + path, { headers, ...init });
}

async function calls() {
  const { results } = await (await api("/api/llm-usage?group_by=model")).json();
  return results.reduce((sum, row) => sum + row.calls, 0);
}

before(async () => {
  fs.writeFileSync(process.env.UPSTREAM_FILE, await upstream.listen());
  const started = process.env.SERVER_FILE;
  await eventually(() => fs.existsSync(started), 120);
  [url, token] = fs.readFileSync(started, "utf8").trim().split("\n");
  client = new OpenAI({ baseURL: `${url}/llm/v1`, apiKey: token, maxRetries: 0 });
  await eventually(async () => {
    const { results } = await (await api("/api/inference/routes")).json();
    return results.length === 4 &&
      results.every((one) => one.candidates.every((c) => c.verdict === "possible"));
  });
});
after(() => upstream.close());

test("LLM4 a chat is answered and counted", async () => {
  const was = await calls();
  const answer = await client.chat.completions.create({ model: "m-1", messages: question });
  assert.equal(answer.choices[0].message.content, "you said: how are you");
  assert.deepEqual(answer.usage, { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 });
  assert.equal(await calls(), was + 1);
});

test("LLM4 the token stays with Reeve", () => {
  const { headers } = upstream.calls.at(-1);
  assert.ok(!JSON.stringify(headers).includes(token));
});

test("LLM4 a stream comes in its pieces", async () => {
  const stream = await client.chat.completions.create(
    { model: "m-1", messages: question, stream: true });
  const words = [];
  for await (const piece of stream) {
    assert.notEqual(piece.choices.length, 0, "counts that nobody asked for");
    words.push(piece.choices[0].delta.content ?? "");
  }
  assert.equal(words.join(""), "one two three");
});

test("LLM4 a stream ends with its counts where they are asked for", async () => {
  const stream = await client.chat.completions.create({
    model: "m-1", messages: question, stream: true, stream_options: { include_usage: true } });
  let usage = null;
  for await (const piece of stream) usage = piece.usage ?? usage;
  assert.equal(usage.total_tokens, 12);
});

test("LLM4 the client's own helper for streams works", async () => {
  const stream = client.chat.completions.stream({ model: "m-1", messages: question });
  assert.equal(await stream.finalContent(), "one two three");
});

test("LLM4 a client that leaves ends the call", async () => {
  const was = upstream.closed;
  const stream = await client.chat.completions.create({
    model: "m-1", messages: [{ role: "user", content: "go on for ever" }], stream: true });
  for await (const piece of stream) if (piece.choices[0].delta.content) break;
  await eventually(() => upstream.closed === was + 1);
});

test("LLM4 completions and embeddings go through", async () => {
  const text = await client.completions.create({ model: "m-1", prompt: "abc" });
  assert.equal(text.choices[0].text, "after: abc");
  const made = await client.embeddings.create(
    { model: "m-1", input: "abc", encoding_format: "float" });
  assert.deepEqual(made.data[0].embedding, [0.25, -0.5]);
});

test("LLM4 models are listed", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names.sort(), ["m-1", "m-broken", "m-costly", "m-long"]);
});

test("LLM4 errors are those of the client", async (t) => {
  const ask = (model, by = client) =>
    by.chat.completions.create({ model, messages: question });
  await t.test("a model that nobody has", () => assert.rejects(ask("m-none"), (e) => {
    assert.ok(e instanceof OpenAI.NotFoundError);
    return e.code === "model_not_found";
  }));
  await t.test("a wrong key", () => assert.rejects(
    ask("m-1", new OpenAI({ baseURL: `${url}/llm/v1`, apiKey: "rv_nobody", maxRetries: 0 })),
    (e) => e instanceof OpenAI.AuthenticationError && typeof e.code === "string"));
  await t.test("an upstream that fails, without its words", () => assert.rejects(
    ask("m-broken"), (e) => {
      assert.equal(e.status, 502);
      return e.code === "upstream_failed" && !e.message.includes("secret words");
    }));
  await t.test("an upstream that refuses", () => assert.rejects(ask("m-long"), (e) => {
    assert.ok(e instanceof OpenAI.BadRequestError);
    return e.code === "context_length_exceeded";
  }));
  await t.test("a budget that is spent", async () => {
    const put = await api("/api/llm-budgets/costly", { method: "PUT", body: JSON.stringify(
      { period: "day", model: "m-costly", most_tokens: 1 }) });
    assert.ok(put.ok);
    await ask("m-costly");
    await assert.rejects(ask("m-costly"), (e) => {
      assert.ok(e instanceof OpenAI.RateLimitError);
      return e.code === "insufficient_quota";
    });
  });
});

test("P15 nothing of what was said is in the log", async () => {
  const text = await (await api("/api/events?limit=500&type=llm_call_recorded")).text();
  assert.ok(text.includes("llm_call_recorded"));
  for (const said of ["how are you", "you said", "one ", "go on for ever"]) {
    assert.ok(!text.includes(said), said);
  }
});

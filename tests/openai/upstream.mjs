// An upstream of language models on loopback: OpenAI's protocol, with answers that are made up of
// the questions. It keeps what it was asked, for who checks what reached it.

import http from "node:http";

const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

function chat(asked) {
  const message = { role: "assistant", content: `you said: ${asked.messages.at(-1).content}` };
  return {
    id: "chat-1", object: "chat.completion", created: 1, model: asked.model,
    choices: [{ index: 0, message, finish_reason: "stop" }], usage,
  };
}

function chunk(asked, delta, finish_reason = null) {
  return {
    id: "chat-1", object: "chat.completion.chunk", created: 1, model: asked.model,
    choices: [{ index: 0, delta, finish_reason }],
  };
}

function pieces(asked) {
  const all = [chunk(asked, { role: "assistant", content: "" })];
  for (const word of ["one ", "two ", "three"]) all.push(chunk(asked, { content: word }));
  all.push(chunk(asked, {}, "stop"));
  if (asked.stream_options?.include_usage) {
    all.push({ ...chunk(asked, {}), choices: [], usage });
  }
  return all;
}

export class Upstream {
  calls = [];   // {path, headers, body}, without the looks
  closed = 0;   // calls whose client left before their end
  #server = http.createServer((request, answer) => this.#serve(request, answer));

  async listen() {
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request, answer) {
    let text = "";
    for await (const part of request) text += part;
    if (request.url === "/v1/models") return this.#json(answer, 200, { object: "list", data: [] });
    const asked = JSON.parse(text);
    this.calls.push({ path: request.url, headers: request.headers, body: asked });
    answer.on("close", () => { if (!answer.writableFinished) ++this.closed; });
    if (asked.model === "m-broken") {
      return this.#json(answer, 500, { error: { message: "secret words of the upstream" } });
    }
    if (asked.model === "m-long") {
      const error = { message: "too long", type: "invalid_request_error",
                      code: "context_length_exceeded", param: "messages" };
      return this.#json(answer, 400, { error });
    }
    switch (request.url) {
      case "/v1/chat/completions":
        return asked.stream ? this.#stream(asked, answer) : this.#json(answer, 200, chat(asked));
      case "/v1/completions":
        return this.#json(answer, 200, {
          id: "text-1", object: "text_completion", created: 1, model: asked.model, usage,
          choices: [{ index: 0, text: `after: ${asked.prompt}`, finish_reason: "stop",
                      logprobs: null }],
        });
      case "/v1/embeddings":
        return this.#json(answer, 200, {
          object: "list", model: asked.model, usage: { prompt_tokens: 3, total_tokens: 3 },
          data: [{ object: "embedding", index: 0, embedding: [0.25, -0.5] }],
        });
    }
    return this.#json(answer, 404, { error: { message: "no such path" } });
  }

  #json(answer, status, body) {
    answer.writeHead(status, { "Content-Type": "application/json" });
    answer.end(JSON.stringify(body));
  }

  #stream(asked, answer) {
    answer.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const one of pieces(asked)) answer.write(`data: ${JSON.stringify(one)}\n\n`);
    // One that is left open until its client goes.
    if (asked.messages.at(-1).content !== "go on for ever") answer.end("data: [DONE]\n\n");
  }
}

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { GenPulse, InvalidWebhook, verifyWebhook } from "../src/index.js";

const NOW = 1896264000;
const KEY = Buffer.from("a secret of 24 bytes, 24");
const SECRET = `whsec_${KEY.toString("base64")}`;
const PLAIN = "any other text";
const BODY = JSON.stringify({ type: "task.succeeded", data: { id: "0193", status: "succeeded", word: "ä" } });

function signed(secrets, { body = BODY, sent = NOW } = {}) {
  const signature = (secret) =>
    createHmac("sha256", secret === SECRET ? KEY : secret).update(`msg_1.${sent}.`).update(body).digest("base64");
  return {
    "Webhook-Id": "msg_1",
    "webhook-timestamp": String(sent),
    "WEBHOOK-SIGNATURE": secrets.map((secret) => `v1,${signature(secret)}`).join(" "),
  };
}

function verified(headers, secret = SECRET, body = BODY, options = {}) {
  return verifyWebhook(body, headers, secret, { now: NOW, ...options });
}

test("a message is read, however its body and headers are held", async () => {
  const bytes = new TextEncoder().encode(`__${BODY}`).subarray(2);
  for (const secret of [SECRET, PLAIN]) {
    for (const body of [BODY, Buffer.from(BODY), bytes, bytes.slice().buffer]) {
      for (const headers of [signed([secret]), new Headers(signed([secret]))]) {
        const message = await verified(headers, secret, body);
        assert.deepEqual([message.id, message.type, message.timestamp.getTime()], ["msg_1", "task.succeeded", NOW * 1000]);
        assert.equal(message.task.id, "0193");
      }
    }
  }
});

test("secrets change on both sides", async () => {
  assert.ok(await verified(signed([PLAIN, SECRET])));
  assert.ok(await verified(signed([SECRET]), [PLAIN, SECRET]));
  await assert.rejects(verified(signed([PLAIN])), /by this secret/);
  await assert.rejects(verified(signed([SECRET]), []), /by this secret/);
});

test("an old message is refused", async () => {
  for (const seconds of [-301, 301]) {
    const headers = signed([SECRET], { sent: NOW + seconds });
    await assert.rejects(verified(headers), /more than 300 s from now/);
    assert.ok(await verified(headers, SECRET, BODY, { toleranceS: 600 }));
  }
});

test("a header that is missing or another is refused", async () => {
  for (const name of ["Webhook-Id", "webhook-timestamp", "WEBHOOK-SIGNATURE"]) {
    for (const value of [undefined, "", "nonsense", "v1,", "v1,ä", "v1,!!", "-1", "1e9", "NaN", "9".repeat(30)]) {
      await assert.rejects(verified({ ...signed([SECRET]), [name]: value }), InvalidWebhook, `${name} ${value}`);
    }
  }
});

test("a signature of another version or body is none", async () => {
  const headers = signed([SECRET]);
  const other = { ...headers, "WEBHOOK-SIGNATURE": headers["WEBHOOK-SIGNATURE"].replace("v1,", "v2,") };
  await assert.rejects(verified(other), InvalidWebhook);
  await assert.rejects(verified(headers, SECRET, `${BODY} `), InvalidWebhook);
});

test("a body that is none of ours is refused", async () => {
  for (const body of ["", "words", "[]", "null", '{"type": "x"}', '{"type": "x", "data": {}}']) {
    await assert.rejects(verified(signed([SECRET], { body }), SECRET, body), /its body is none/);
  }
});

test("a secret that is none is told without its text", async () => {
  for (const secret of ["", "whsec_not!base64", "whsec_"]) {
    await assert.rejects(verified(signed([PLAIN]), secret), (error) => error instanceof TypeError && !error.message.includes("not!"));
  }
});

test("it is a verb of the client", () => assert.equal(GenPulse.verifyWebhook, verifyWebhook));

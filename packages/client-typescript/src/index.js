/** The client of GenPulse: one durable task API in front of generative media. Types are in index.d.ts. */

export { GenPulse } from "./client.js";
export {
  ApiRefused,
  ApiTimeout,
  ApiUnreachable,
  DownloadBroken,
  GenPulseError,
  InvalidId,
  InvalidWebhook,
  TaskFailed,
  TaskNotEnded,
  UnexpectedAnswer,
} from "./errors.js";
export { hasEnded } from "./documents.js";
export { uploadTo } from "./upload_to.js";
export { verifyWebhook } from "./webhook.js";
export { VERSION } from "./version.js";

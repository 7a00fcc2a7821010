/** What Node has and browsers have not, or the other way round. */

/** A module of Node. It has no literal name here, so that bundlers for browsers do not look for it. */
export async function node(name) {
  const module = `node:${name}`;
  return import(/* webpackIgnore: true */ /* @vite-ignore */ module);
}

/** WebCrypto; undefined in pages that came without TLS. */
export function subtleCrypto() {
  return globalThis.crypto.subtle;
}

/** A variable of the environment; undefined in browsers. */
export function variable(name) {
  return globalThis.process?.env?.[name] || undefined;
}

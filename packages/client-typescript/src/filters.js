/** Filters of lists, and how they are written in a query. */

import { momentText } from "./timing.js";

const FIELDS = {
  status: "status",
  kind: "kind",
  provider: "provider",
  model: "model",
  code: "code",
  key: "key",
  batch: "batch",
  ids: "ids",
  idPrefix: "id_prefix",
  text: "text",
  createdAfter: "created_after",
  createdBefore: "created_before",
};
/** The names of the filters. */
export const FILTERS = [...Object.keys(FIELDS), "metadata"];

/** The parameters; a field with several values comes several times. */
export function filterQuery(filters) {
  checkValues(filters);
  const named = Object.entries(FIELDS).flatMap(([name, field]) => pairs(field, filters[name]));
  const own = Object.entries(filters.metadata ?? {}).flatMap(([name, value]) => pairs(`metadata.${name}`, value));
  return [...named, ...own];
}

/** The same as a body has it. */
export function filterDocument(filters) {
  checkValues(filters);
  const named = Object.entries(FIELDS).filter(([name]) => filters[name] != null);
  const document = Object.fromEntries(named.map(([name, field]) => [field, momentText(filters[name])]));
  return filters.metadata == null ? document : { ...document, metadata: filters.metadata };
}

/** Throws `TypeError` for a list without values: as a filter it would leave nothing out, and mean all. */
function checkValues({ metadata, ...filters }) {
  const own = Object.entries(metadata ?? {}).map(([name, values]) => [`metadata.${name}`, values]);
  const [found] = [...Object.entries(filters), ...own].find(([, values]) => Array.isArray(values) && !values.length) ?? [];
  if (found) throw new TypeError(`${found} has no values, and no task fits that: leave it out, or ask for none.`);
}

/** The parameters of the usage. */
export function usageQuery({ since, until, groupBy }) {
  const groups = [groupBy ?? []].flat().join(",");
  return [...pairs("from", since), ...pairs("to", until), ...pairs("group_by", groups || undefined)];
}

function pairs(name, value) {
  return [value ?? []].flat().map((one) => [name, String(momentText(one))]);
}

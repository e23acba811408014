// Compiles the schema in ajv's strict mode. Prints how many of the bodies the schema accepts, and how many it refuses
// after one field was replaced by an object.
// Usage: node ajv.cjs SCHEMA BODY…
const { readFileSync } = require("node:fs");
const Ajv = require("ajv/dist/2020").default;

const [schema, ...bodies] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")));
const validate = new Ajv({ strict: true, strictRequired: true }).compile(schema);

let accepted = 0;
let refused = 0;
for (const body of bodies) {
  accepted += Number(validate(body));
  for (const object of [body, body.content[0]]) {
    for (const [field, value] of Object.entries(object)) {
      object[field] = {};
      refused += Number(!validate(body));
      object[field] = value;
    }
  }
}
console.log(`accepted ${accepted} documented, refused ${refused} malformed`);

// Whether the description of the API is one by the schema of the OpenAPI Initiative. Arguments: port of MQTT, URL of the admin port.

import { Validator } from "@seriousme/openapi-schema-validator";

const answer = await fetch(`${process.argv[3]}/api/v1/openapi.json`);
const document = await answer.json();
const validator = new Validator();
const result = await validator.validate(structuredClone(document));
if (!result.valid) {
  console.log(JSON.stringify(result.errors, null, 1));
  process.exit(1);
}
delete document.info.version; // and a validator that says yes to everything would be none
if ((await new Validator().validate(document)).valid) {
  console.log("a document without a version is valid to it, too");
  process.exit(1);
}
console.log(`valid: OpenAPI ${validator.version}`);

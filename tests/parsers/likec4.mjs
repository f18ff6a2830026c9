// What LikeC4 makes of texts: the model, and what is wrong with them.
// node likec4.mjs NODE INPUT.json OUTPUT.json: NODE is the folder with node_modules, the input a list of texts.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [node, input, output] = process.argv.slice(2);
const found = createRequire(`${node}/package.json`).resolve("likec4/package.json");
let file = JSON.parse(readFileSync(found)).exports["."];
while (typeof file === "object") file = file.import ?? file.default;
const { LikeC4 } = await import(pathToFileURL(found.replace("package.json", file)).href);
const results = [];
for (const text of JSON.parse(readFileSync(input, "utf8"))) {
  const options = { printErrors: false, throwIfInvalid: false, logger: false };
  const project = await LikeC4.fromSource(text, options);
  const { elements, relations } = (await project.computedModel()).$data;
  const lines = project.getErrors().map(error => error.line + 1);
  results.push({ lines, document: { elements, relations } });
}
writeFileSync(output, JSON.stringify(results));
process.exit(0);

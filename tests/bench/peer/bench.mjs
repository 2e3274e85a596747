// Times fhirpath.js on tests/bench/data: each expression in its compiled form, and JSON.parse plus seven rules.
// Prints {name: nanoseconds}. Every run checks its result. Usage: node bench.mjs [seconds per case]
import fs from 'node:fs';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

const seconds = Number(process.argv[2] ?? 0.5);
const data = new URL('../data/', import.meta.url);
const text = fs.readFileSync(new URL('bundle.json', data), 'utf8');
const cases = JSON.parse(fs.readFileSync(new URL('expressions.json', data), 'utf8'));
const rules = ['boolean_rule', 'of_type_count', 'loinc_exists', 'quantity_literal', 'two_drugs', 'date_window', 'latest_value'];

function check(name, got, expected) {
  if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`${name}: ${JSON.stringify(got)} is not ${JSON.stringify(expected)}`);
}

// The fastest of five rounds: what the machine does besides only ever adds time.
function time(run) {
  for (let i = 0; i < 20; ++i) run();
  let best = Infinity;
  for (let round = 0; round < 5; ++round) {
    let count = 0;
    const begin = process.hrtime.bigint();
    let now = begin;
    while (now - begin < BigInt(Math.round(seconds / 5 * 1e9))) {
      run();
      ++count;
      now = process.hrtime.bigint();
    }
    best = Math.min(best, Number(now - begin) / count);
  }
  return best;
}

const bundle = JSON.parse(text);
const result = {};
const compiled = {};
for (const { name, expression, expected } of cases) {
  const program = compiled[name] = fhirpath.compile(expression, r4);
  result['Expression/' + name] = time(() => check(name, program(bundle), expected));
}
const expected = Object.fromEntries(cases.map(c => [c.name, c.expected]));
result['ParseAndSevenRules'] = time(() => {
  const fresh = JSON.parse(text);
  for (const name of rules) check(name, compiled[name](fresh), expected[name]);
});
console.log(JSON.stringify(result));

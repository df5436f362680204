import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statementsOf } from '../../src/migrate/statements.ts';

test('statements end at semicolons outside of quotes and comments', () => {
  const sql = `-- one; two\nSELECT ';' AS a, "x;y", \`b;c\`, 'it\\'s;';\n/* ; */ SELECT 2 - 1 / 1;\n-- end;\n`;
  const statements = statementsOf(sql);
  assert.equal(statements.length, 2);
  assert.match(statements[0] ?? '', /'it\\'s;'$/);
  assert.match(statements[1] ?? '', /SELECT 2 - 1 \/ 1$/);
});

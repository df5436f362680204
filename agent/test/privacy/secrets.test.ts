/** Real command lines: `|` parts arguments, «…» is what must be hidden, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedaction } from '../../src/privacy/redact.ts';
import { PROGRAMS, SECRETS } from '../../src/privacy/secrets.ts';

const LINES = `
app|--password=«hunter2 and more»|-v
app|--password|«hunter2 and more»|-v
app|--user=bob|--password=«a b»|--port|80
app|--token|«token»|x
app|--db.passwd:«hunter2»
app|-api-key|«hunter2»
app|--aws_secret_access_key=«hunter2»
app|--no-password|«--password»|«hunter2»
app|--no-token|«curl»|-u|«bob:hunter2»
app|--credentials|«-H»|Authorization: «Bearer hunter2»
server: worker --password «hunter2 -v»
env|DB_PASSWORD=«hunter2»|app
env|PGPASSWORD=«hunter2»|psql|-h|db
sh|-c|PGPASSWORD=«hunter2 psql -h db»
env|MYSQL_PWD=«hunter2»|mysql|shop
env|AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»|AWS_ACCESS_KEY_ID=«AKIAIOSFODNN7EXAMPLE»|aws|s3|ls
aws|configure|set|aws_secret_access_key|«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»
aws|configure|set|region|eu-central-1
docker|run|-p|80:80|-e|GITHUB_TOKEN=«hunter2»|image
docker|login|-u|bob|-p|«hunter2»|registry.example.com
docker|login|-p«hunter2»|registry.example.com
docker|login|--username|bob|--password-stdin|registry.example.com
/usr/bin/podman|login|-p=«hunter2»|quay.io
helm|registry|login|-u|bob|-p|«hunter2»|quay.io
oc|login|-u|bob|-p|«hunter2»|https://api:6443
docker|run|-p|80:80|nginx:1.25@sha256:0123abcd
java|-Dspring.datasource.password=«hunter2»|-jar|a.jar
curl|-d|{"client_secret": «"hunter2 and more"}»|https://example.com
curl|-d|grant_type=x&client_secret=«hunter2»|https://example.com
curl|-H|Authorization: «Basic aHVudGVyMg==»|https://example.com
curl|-HAuthorization: «hunter2»|https://example.com
curl|-H|Proxy-Authorization: «hunter2»|https://example.com
curl|-H|X-Auth-Token: «hunter2»|https://example.com
curl|-H|X: bearer «hunter2»
curl|-H|Cookie: «sid=hunter2»|https://example.com
curl|-b|«sid=hunter2»|https://example.com
curl|--oauth2-bearer|«hunter2»|https://example.com
/usr/bin/curl|-s|-u|«bob:hunter2 and more»|https://example.com
curl|-u«bob:hunter2»|https://example.com
curl|-sSu|«bob:hunter2»|https://example.com
curl|-sSLku«bob:hunter2»|https://example.com
curl|-U|«bob:hunter2»|-x|proxy:3128|https://example.com
curl|-sU|«bob:hunter2»|-u|«eve:hunter3»|https://example.com
curl|--user=«bob:hunter2»
curl|--user|«bob:hunter2»|https://example.com
curl|--proxy-user|«bob:hunter2»|https://example.com
curl|--user-agent|Mozilla|-u|«bob:hunter2»|https://example.com
curl|-A|x|--user-agent=y|--user|«bob:hunter2»
curl|-E|client.pem:«hunter2»|https://example.com
curl|--cert|client.pem:«hunter2»|https://example.com
curl|-x|bob:«hunter2»@proxy:3128|https://example.com
curl|-x|http://«bob:hunter2»@proxy:3128|https://example.com
curl|https://example.com/?sig=«hunter2»
sudo|-u|root|curl|-u|«bob:hunter2»|https://example.com
timeout|5|/usr/bin/curl|-fsSu|«bob:hunter2»|https://example.com
sh|-c|cd /tmp && curl -su «bob:hunter2 https://example.com»
bash|-c|exec /usr/bin/mysql -uroot -p«hunter2 shop»
curl|-sS|-o|out.bin|--output-dir|/tmp|-A|ubuntu|https://example.com/@me?x=1
curl|-X|PUT|-T|backup.tar|https://example.com
wget|-U|Mozilla|-O|x|https://example.com
wget|--user=bob|--password=«hunter2»|https://example.com
wget|--user|bob|--http-password|«hunter2»|https://example.com
git|clone|https://«bob:hunter2»@example.com/a.git
git|clone|https://«hunter2»@example.com/a.git
git|pull|https://«bob:hun@ter2»@example.com/a.git
git|push|git@example.com:a/b.git
psql|postgresql://«bob:hunter2»@db/x
psql|-p|5432|-h|db|-U|bob
redis-cli|-u|redis://«:hunter2»@db:6379
redis-cli|-h|db|-a|«hunter2»
/usr/bin/mysqldump|-h|db|-p«hunter2 and more»|x
mysql|-u|root|-p«hunter2»|shop
mysql|-uroot|-Np«hunter2»|shop
mysql|-h|db|-p|shop
mysql|-h|db|-P|3306|--port=1
sshpass|-p|«hunter2»|ssh|host
sshpass|-p«hunter2»|ssh|host
sshpass|-f|/etc/pw|ssh|host
ssh|-p|2222|host
mongosh|-u|bob|-p|«hunter2»|db
http|-a|«bob:hunter2»|example.com
ldapsearch|-D|cn=a|-w|«hunter2»|-b|dc=b
smbclient|//host/share|-U|bob%«hunter2»
lftp|-u|bob,«hunter2»|ftp.example.com
sqlcmd|-S|db|-U|sa|-P|«hunter2»
snmpwalk|-v2c|-c|«hunter2»|host
7z|x|-p«hunter2»|a.7z
unzip|-P|«hunter2»|a.zip
sqlplus|bob/«hunter2»@db
openssl|rsa|-passin|«pass:hunter2»
tailscale|up|--authkey|«tskey-hunter2»
az|storage|ls|--connection-string|AccountName=a;AccountKey=«hunter2;x»
app|«AKIAIOSFODNN7EXAMPLE»|end
app|--x=«ASIAIOSFODNN7EXAMPLE»
app|«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhb»|end
app|«ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2»|end
app|«glpat-xxxxxxxxxxxxxxxxxxxx»|end
app|«xoxb-111111111111111111111111»|end
app|«-----BEGIN RSA PRIVATE KEY----- MIIE»|end
sleep|600
node|server.js|--port=8080|--keyboard=us
rsync|-a|user@host:/x|.
tar|-czpf|a.tgz|-C|/|etc
uvicorn|app:main|--host|::1
`
  .trim()
  .split('\n');

const hidden = createRedaction([]);
const argsOf = (line: string): string => `${line.replace(/[«»]/g, '').replaceAll('|', '\0')}\0`;

function shown(line: string): string {
  return line.replace(/«[^»]*»/g, '(redacted)').replaceAll('|', ' ');
}

for (const line of LINES)
  test(line, () => {
    assert.equal(hidden(argsOf(line)), shown(line));
  });

test('every pattern hides something above that no other one does', () => {
  const needless = [...SECRETS, ...PROGRAMS.flatMap(({ secrets }) => secrets)].filter((pattern) => {
    const { exec } = pattern;
    pattern.exec = () => null;
    const same = LINES.every((line) => !line.includes('«') || hidden(argsOf(line)) === shown(line));
    pattern.exec = exec;
    return same;
  });
  assert.deepEqual(needless, []);
});

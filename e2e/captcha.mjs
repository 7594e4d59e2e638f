// Prints the digits of a captcha from the demo's database, as a person would read them from the picture.
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync('test-results/data/huiqi.db', { readOnly: true })
console.log(db.prepare('SELECT digits FROM captchas WHERE id = ?').get(process.argv[2])?.digits ?? '')

// node smsc.js PORT: an SMSC by the npm package "smpp". Commands on standard input, one a line:
//   mo FROM TEXT…   two phones may use one reference: parts are sent last first
// What it gets is printed as JSON, one line each.
const readline = require('readline');
const smpp = require('smpp');

let next = 0xABC0;
const sessions = new Set();
const ucs2 = (text) => Buffer.from(text, 'utf16le').swap16();
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

function parts(from, text, reference) {
  const bytes = ucs2(text);
  const total = Math.ceil(bytes.length / 134);
  return [...Array(total).keys()].map((n) => ({
    source_addr_ton: 1, source_addr_npi: 1, source_addr: from, destination_addr: '8088', esm_class: 0x40, data_coding: 8,
    short_message: { udh: Buffer.from([5, 0, 3, reference, total, n + 1]), message: bytes.subarray(n * 134, (n + 1) * 134) },
  }));
}

function words(message) {
  return typeof message === 'object' && message.message !== undefined ? message.message : message;
}

smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('close', () => sessions.delete(session));
  session.on('bind_transceiver', (pdu) => { session.send(pdu.response({ system_id: 'PEER' })); sessions.add(session); say({ bound: pdu.system_id }); });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const to = pdu.destination_addr;
    say({ to, from: pdu.source_addr, coding: pdu.data_coding, text: String(words(pdu.short_message)), receipt: pdu.registered_delivery & 1 });
    if (to.startsWith('84998')) return session.send(pdu.response({ command_status: 0x410 }));
    const id = (++next).toString(16).toUpperCase();
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery & 1) {
      const state = to.startsWith('84997') ? 'UNDELIV' : 'DELIVRD';
      setTimeout(() => session.deliver_sm({
        source_addr_ton: 1, source_addr_npi: 1, source_addr: to, destination_addr: pdu.source_addr, esm_class: 4,
        receipted_message_id: id, message_state: state === 'DELIVRD' ? 2 : 5,
        short_message: `id:${id} sub:001 dlvrd:001 submit date:2610070900 done date:2610070901 stat:${state} err:000 text:`,
      }), 200);
    }
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => say({ listening: Number(process.argv[2]) }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [, from, text] = line.match(/^mo (\S+) (.*)$/) || [];
  if (!from) return;
  const session = [...sessions][0];
  parts(from, text, 7).reverse().forEach((part) => session.deliver_sm(part, (answer) => say({ acknowledged: answer.command_status })));
}).on('close', () => process.exit(0));

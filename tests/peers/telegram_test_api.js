"use strict";
// Serves telegram-test-api on the port given: node telegram_test_api.js FOLDER PORT
const [folder, port] = process.argv.slice(2);
const TelegramServer = require(require.resolve("telegram-test-api", { paths: [folder] }));
new TelegramServer({ port: Number(port), host: "127.0.0.1", storeTimeout: 600 })
  .start()
  .then(() => console.log("listening"));

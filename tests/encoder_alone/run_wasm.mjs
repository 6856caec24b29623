// Runs a program for wasm32-unknown-unknown: `node run_wasm.mjs program.wasm`. It may ask for nothing, as there is nothing
// here. The programs of `cargo test` end in a trap when a test fails, and print nothing.
import { readFileSync } from "node:fs";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const asked = WebAssembly.Module.imports(module);
if (asked.length > 0) {
    throw new Error(`it asks for ${asked.map((i) => `${i.module}.${i.name}`).join(", ")}`);
}
const { exports } = new WebAssembly.Instance(module);
if (exports.main(0, 0) !== 0) throw new Error("it failed");

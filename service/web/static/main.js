// Makes live what works without it: every form and link on the pages does its work by itself.
import { enhanceCode } from "./copy.js";
import { enhanceLooks } from "./looks.js";
import { enhanceComposer } from "./compose.js";
import { enhanceChat } from "./chat.js";

document.documentElement.classList.add("scripted");
enhanceLooks();
enhanceCode(document);
const chat = document.querySelector("[data-chat]");
const send = chat ? enhanceChat(chat) : null;
for (const form of document.querySelectorAll("[data-composer]")) enhanceComposer(form, send);

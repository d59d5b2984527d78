package io.github.cellfuse.cli.bench;

import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.EarlierResults;
import java.util.Optional;

/**
 * A benchmark's content for the table, the JSON and the page.
 *
 * @param rounds the number of rounds requested
 * @param old the earlier run to compare with
 * @param comparison the comparison with the earlier run
 */
record BenchDocument(BenchReport report, int rounds, Optional<BenchFile> old, Optional<EarlierResults> comparison) {

    /** Returns the match of a result in the earlier run. */
    Optional<EarlierResults.Pair> match(BenchResult result) {
        return comparison.flatMap(
                c -> c.pairs().stream().filter(pair -> pair.now() == result).findFirst());
    }
}

package io.github.cellfuse.cli.bench;

import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.EarlierResults;
import java.util.Optional;

/**
 * All that there is to say of a benchmark, for the table, the JSON and the page.
 *
 * @param rounds as many as were asked for
 * @param old the earlier run that it is compared with
 * @param comparison with that run
 */
record BenchDocument(BenchReport report, int rounds, Optional<BenchFile> old, Optional<EarlierResults> comparison) {

    /** The result's match in the earlier run. */
    Optional<EarlierResults.Pair> match(BenchResult result) {
        return comparison.flatMap(
                c -> c.pairs().stream().filter(pair -> pair.now() == result).findFirst());
    }
}

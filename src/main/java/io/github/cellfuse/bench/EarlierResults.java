package io.github.cellfuse.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Matches results with those of an earlier run. Two results match if suite, kernel, plan and sizes are the same. The
 * remaining results match without the plan if only one is left on either side: then the engine has chosen another plan
 * since.
 *
 * @param pairs the matches, in the order of the new results
 * @param onlyNew the new results without a match
 * @param onlyOld the old results without a match
 */
public record EarlierResults(List<Pair> pairs, List<BenchResult> onlyNew, List<Old> onlyOld) {
    /**
     * A result of an earlier run.
     *
     * @param plan null for a stand-alone kernel
     * @param disturbed whether the machine was busy
     */
    public record Old(
            String suite, String kernel, String plan, Dimensions dimensions, double seconds, boolean disturbed) {}

    /** Two matching results. */
    public record Pair(BenchResult now, Old old) {
        /** Returns whether one of the results can't be trusted, so that the speedup says nothing. */
        public boolean isDisturbed() {
            return now.timing().isDisturbed() || old.disturbed();
        }

        /** Returns the speedup; above 1, the new result is faster. */
        public double speedup() {
            return old.seconds() / now.seconds();
        }

        /** Returns whether the plan has changed. */
        public boolean planChanged() {
            return !Objects.equals(now.plan(), old.plan());
        }
    }

    private record Key(String suite, String kernel, String plan, Dimensions dimensions) {
        static Key of(BenchResult result) {
            return new Key(result.suite(), result.kernel(), result.plan(), result.dimensions());
        }

        static Key of(Old old) {
            return new Key(old.suite(), old.kernel(), old.plan(), old.dimensions());
        }

        Key withoutPlan() {
            return new Key(suite, kernel, null, dimensions);
        }
    }

    /** Matches new results with earlier ones. */
    public static EarlierResults of(List<BenchResult> now, List<Old> earlier) {
        Map<Key, Old> byKey = new HashMap<>();
        earlier.forEach(old -> byKey.putIfAbsent(Key.of(old), old));
        Map<BenchResult, Old> matches = new HashMap<>();
        now.forEach(
                result -> Optional.ofNullable(byKey.get(Key.of(result))).ifPresent(old -> matches.put(result, old)));

        Set<Old> left = new LinkedHashSet<>(earlier);
        left.removeAll(matches.values());
        Map<Key, List<Old>> leftByKey =
                left.stream().collect(Collectors.groupingBy(old -> Key.of(old).withoutPlan()));
        now.stream()
                .filter(result -> !matches.containsKey(result))
                .collect(Collectors.groupingBy(result -> Key.of(result).withoutPlan()))
                .forEach((key, results) -> {
                    List<Old> candidates = leftByKey.getOrDefault(key, List.of());
                    if (results.size() == 1 && candidates.size() == 1) {
                        matches.put(results.get(0), candidates.get(0));
                        left.remove(candidates.get(0));
                    }
                });

        List<Pair> pairs = new ArrayList<>();
        List<BenchResult> onlyNew = new ArrayList<>();
        for (BenchResult result : now) {
            if (matches.containsKey(result)) {
                pairs.add(new Pair(result, matches.get(result)));
            } else {
                onlyNew.add(result);
            }
        }
        return new EarlierResults(List.copyOf(pairs), List.copyOf(onlyNew), List.copyOf(left));
    }
}

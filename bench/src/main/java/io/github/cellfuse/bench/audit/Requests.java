package io.github.cellfuse.bench.audit;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The global memory that a warp asks for. Immutable.
 *
 * @param accesses each execution of each load and store, by the position of its line in the listing
 */
record Requests(Map<Integer, List<Access>> accesses) {
    /** Returns the part from some lines. */
    Requests at(Set<Integer> positions) {
        return new Requests(accesses.entrySet().stream()
                .filter(each -> positions.contains(each.getKey()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    }

    /**
     * Returns the sectors that loads touch for each sector that they need at least: 1 if all are coalesced. Empty if
     * there are no loads.
     */
    OptionalDouble sectorsPerNeeded() {
        List<Access> loads = accesses.values().stream()
                .flatMap(List::stream)
                .filter(Access::load)
                .toList();
        int sectors = loads.stream().mapToInt(Access::sectors).sum();
        int fewest = loads.stream().mapToInt(Access::fewest).sum();
        return loads.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of((double) sectors / fewest);
    }

    /** Returns how many loads have each pattern, at their worst: {@code 8×16 B coalesced, 1×4 B broadcast}. */
    String loads() {
        return accesses.values().stream()
                .map(all -> all.stream()
                        .max(Comparator.comparingDouble(each -> (double) each.sectors() / each.fewest()))
                        .orElseThrow())
                .filter(Access::load)
                .collect(Collectors.groupingBy(Access::pattern, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(each -> each.getValue() + "×" + each.getKey())
                .collect(Collectors.joining(", "));
    }
}

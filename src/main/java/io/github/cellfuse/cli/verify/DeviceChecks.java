package io.github.cellfuse.cli.verify;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Verifies cases on one device.
 *
 * @param device the options that open engines
 * @param rows the number of rows to judge; empty for as many as double precision can afford
 * @param layer the only layer to verify; empty for everything
 */
record DeviceChecks(DeviceOption device, OptionalInt rows, OptionalInt layer) {
    /** Cases that share their engines. */
    private record Group(LstmModel model, int rows) {}

    /**
     * Returns the reports of the cases, in their order.
     *
     * @throws CellFuseException if the device fails
     */
    Map<VerifyCase, VerifyReport> run(DeviceOption.Choice choice, List<VerifyCase> cases) {
        Map<Group, List<VerifyCase>> groups = new LinkedHashMap<>();
        for (VerifyCase each : cases) {
            int judged = rows.orElseGet(
                    () -> Verifier.affordableRows(each.model(), each.input().steps()));
            groups.computeIfAbsent(new Group(each.model(), judged), group -> new ArrayList<>())
                    .add(each);
        }
        Map<VerifyCase, VerifyReport> found = new HashMap<>();
        groups.forEach((group, members) -> {
            Verifier verifier = new Verifier(m -> device.open(choice, m), group.rows, device.weights());
            List<VerifyReport> reports = verifier.verify(
                    group.model, members.stream().map(VerifyCase::input).toList(), layer);
            for (int k = 0; k < reports.size(); k++) {
                found.put(members.get(k), reports.get(k));
            }
        });
        Map<VerifyCase, VerifyReport> ordered = new LinkedHashMap<>();
        cases.forEach(each -> ordered.put(each, found.get(each)));
        return ordered;
    }
}

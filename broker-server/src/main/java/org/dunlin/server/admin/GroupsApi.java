package org.dunlin.server.admin;

import java.util.List;
import org.dunlin.core.Inspection;
import org.dunlin.core.inspect.GroupView;
import org.dunlin.server.rest.Endpoint;

/** Shared groups, and how far each member is behind. Workers' threads. */
final class GroupsApi {
    private final Inspection inspection;

    GroupsApi(Inspection inspection) {
        this.inspection = inspection;
    }

    /** @param lag messages of the group that are queued, or lent and not finished */
    record Row(String filter, long queuedMessages, long queuedBytes, long lag, List<GroupView.Member> members) {
        static Row of(GroupView view) {
            long lent =
                    view.members().stream().mapToLong(GroupView.Member::lent).sum();
            return new Row(
                    view.filter(),
                    view.queuedMessages(),
                    view.queuedBytes(),
                    view.queuedMessages() + lent,
                    view.members());
        }
    }

    record Rows(List<Row> items) {}

    List<Endpoint> endpoints() {
        return List.of(Endpoint.read(
                "api/v1/groups",
                "Lists the shared groups with what waits, and what each member has been lent.",
                List.of(),
                Rows.class,
                call -> inspection
                        .groups()
                        .thenApply(
                                groups -> new Rows(groups.stream().map(Row::of).toList()))));
    }
}

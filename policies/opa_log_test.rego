package system.log_test

import data.system.log

test_no_handle_is_logged if {
	every path in ["/input/subjects", "/input/consents", "/input/keys", "/input/ask/citizen", "/result"] {
		path in log.mask
	}
}
